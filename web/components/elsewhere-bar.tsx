import type { CallElsewhere } from "../../client/index.ts";

interface ElsewhereBarProps {
  readonly calls: readonly CallElsewhere[];
  readonly onMove: (call: CallElsewhere) => void;
}

/** A call that another device of this user is in, and that may go on here. */
export function ElsewhereBar({ calls, onMove }: ElsewhereBarProps) {
  const call = calls.find(({ isWanted }) => isWanted) ?? calls[0];
  return (
    <div class="banner" role="status" data-shown={call !== undefined}>
      {call && (
        <>
          <span>
            {call.isWanted ? "Another device asks this one to take over" : "In a call on another device, with"}
            {call.isWanted ? " the call with " : " "}
            <strong>{call.person.name || "somebody"}</strong>
          </span>
          <button type="button" class="banner-action" onClick={() => onMove(call)}>
            Move here
          </button>
        </>
      )}
    </div>
  );
}
