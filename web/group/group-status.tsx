import { useEffect, useRef, useState } from "preact/hooks";
import { type Call, isAnswered, type Room } from "../../client/index.ts";
import { Duration, phaseText } from "../components/call-status.tsx";
import { groupTitle, newsText } from "./text.ts";

interface GroupStatusProps {
  readonly call: Call;
  readonly room: Room;
}

/** With whom, how far the call has come, and who came or went. */
export function GroupStatus({ call, room }: GroupStatusProps) {
  const { phase, isOnHold } = call;
  const news = useNews(room);
  return (
    <div class="group-status">
      <h2>{groupTitle(call)}</h2>
      <div class="group-phase">
        <p role="status" class={`call-phase ${isOnHold ? "held-call" : phase.kind}`}>
          {isOnHold ? "On hold" : phaseText(phase)}
        </p>
        {isAnswered(phase) && <Duration since={phase.since} />}
        <p role="status" class="group-news">
          {news}
        </p>
      </div>
    </div>
  );
}

/** Long enough to be read. */
const SHOWN_MS = 4_000;

/** What just became of somebody. */
function useNews(room: Room): string | null {
  const [news, setNews] = useState<string | null>(null);
  const states = useRef(new Map<string, string>());
  const people = room.participants.map(({ userId, name, state }) => ({ userId, name: name || "Somebody", state }));
  const summary = people.map(({ userId, state }) => `${userId} ${state}`).join();
  useEffect(() => {
    const before = states.current;
    states.current = new Map(people.map(({ userId, state }) => [userId, state]));
    // Whoever was there before this window is no news.
    if (before.size === 0) return;
    const latest = people
      .map(({ userId, name, state }) => newsText(name, before.get(userId), state))
      .filter(Boolean)
      .at(-1);
    if (latest) setNews(latest);
  }, [summary]);
  useEffect(() => {
    if (news === null) return;
    const timer = setTimeout(() => setNews(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [news]);
  return news;
}
