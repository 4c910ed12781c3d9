import type { Person } from "../../client/index.ts";
import type { History } from "../hooks/use-history.ts";
import { useNow } from "../hooks/use-now.ts";
import { errorText } from "../text.ts";
import { HistoryRow } from "./history-row.tsx";

interface HistoryPanelProps {
  readonly history: History;
  readonly userId: string;
  readonly onCall: (person: Person, video: boolean) => void;
  readonly onCallGroup: (people: readonly Person[], video: boolean) => void;
  readonly onJoin: (callId: string, person: Person) => void;
}

export function HistoryPanel({ history, userId, onCall, onCallGroup, onJoin }: HistoryPanelProps) {
  const { calls, error, missed, hasMore, loadMore, remove, markSeen } = history;
  const now = useNow(60_000);
  return (
    <section class="panel panel-history" aria-labelledby="history-title" id="history">
      <div class="panel-head">
        <h1 id="history-title">Recents</h1>
        {missed > 0 && (
          <button type="button" class="missed-badge" onClick={markSeen} aria-label={`${missed} missed, mark as seen`}>
            {missed} missed
          </button>
        )}
      </div>
      {calls === null && error !== null && <p class="empty">{errorText(error)}</p>}
      {calls?.length === 0 && (
        <div class="empty">
          <p class="empty-title">No calls yet</p>
          <p>Calls you make and get are listed here, also those that you missed.</p>
        </div>
      )}
      <ol class="list">
        {calls?.map((call) => (
          <HistoryRow
            key={call.id}
            call={call}
            userId={userId}
            now={now}
            onCall={onCall}
            onCallGroup={onCallGroup}
            onJoin={onJoin}
            onRemove={remove}
          />
        ))}
      </ol>
      {hasMore && (
        <button type="button" class="quiet more" onClick={loadMore}>
          Show earlier calls
        </button>
      )}
    </section>
  );
}
