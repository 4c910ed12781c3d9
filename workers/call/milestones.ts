import type { CallState, EndReason, Outcome } from "../../schema/call.ts";
import { alertingLegs } from "./people.ts";
import type { Call } from "./state.ts";

/** What of a call's life is worth a line in the log. Pure. */

export interface Milestone {
  readonly phase: Exclude<CallState, "reaching">;
  readonly outcome?: Outcome;
  readonly reason?: EndReason;
}

/** @returns null where nothing has begun: also for a call that rings nowhere any more and is still open */
export function milestone(before: Call, after: Call): Milestone | null {
  const phase = stageOf(after);
  if (phase === "reaching" || phase === stageOf(before)) return null;
  if (after.phase.kind !== "ended") return { phase };
  const { outcome, reason } = after.phase;
  return { phase, outcome, reason };
}

/** It rings from the first device on that alerts its user; until then nobody hears it. */
function stageOf({ phase, participants }: Call): CallState {
  if (phase.kind !== "ringing") return phase.kind;
  return participants.some((participant) => alertingLegs(participant).length > 0) ? "ringing" : "reaching";
}
