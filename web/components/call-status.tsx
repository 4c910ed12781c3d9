import { type Call, type CallPhase, isAnswered } from "../../client/index.ts";
import { useNow } from "../hooks/use-now.ts";
import { clock } from "../text.ts";

/** Who, and how far the call has come. The clock is not read out. */
export function CallStatus({ call }: { readonly call: Call }) {
  const { phase, person, isOnHold, heldByPeer } = call;
  return (
    <div class="call-status">
      <h2>{person.name || "Somebody"}</h2>
      <p role="status" class={`call-phase ${isOnHold || heldByPeer ? "held-call" : phase.kind}`}>
        {statusText(call)}
      </p>
      {isAnswered(phase) && <Duration since={phase.since} />}
    </div>
  );
}

export function Duration({ since }: { readonly since: number }) {
  const seconds = Math.max(0, Math.floor((useNow(500) - since) / 1000));
  return (
    <p class="call-clock">
      <span class="visually-hidden">Duration </span>
      {clock(seconds)}
    </p>
  );
}

function statusText({ phase, person, isOnHold, heldByPeer }: Call): string {
  if (isOnHold) return "On hold";
  return heldByPeer ? `${person.name || "The other one"} has put you on hold` : phaseText(phase);
}

export function phaseText(phase: CallPhase): string {
  switch (phase.kind) {
    case "initiating":
      return "Starting…";
    case "reaching":
      return "Reaching…";
    case "ringing":
      return "Ringing…";
    case "incoming":
    case "answering":
    case "connecting":
      return "Connecting…";
    case "moving":
      return "Moving here…";
    case "connected":
      return "Connected";
    case "reconnecting":
      return "Reconnecting…";
    case "ended":
      return "Ended";
  }
}
