import type { Outcome } from "../../schema/call.ts";
import type { CallEvent } from "../../schema/ledger.ts";
import { MAX_LOG } from "../../schema/limits.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { answerOf, isOpen } from "./people.ts";
import type { Call, Participant } from "./state.ts";
import { durationSeconds, viewFor } from "./view.ts";

/** What a queue's message of 128 KB has room for; more is only there when the ledger was away for long. */
const MAX_TOLD_LOG = 4 * MAX_LOG;

/** The whole truth about a call at its ledger revision: a later one replaces it. Pure. */
export function ledgerEvent(call: Call): CallEvent {
  const answer = answerOf(call);
  const ended = call.phase.kind === "ended" ? call.phase : null;
  const isMerged = ended?.mergedInto !== null && ended !== null;
  return {
    kind: "call",
    callId: call.callId,
    rev: call.ledger.due,
    callType: call.callType,
    initiatorId: call.caller.userId,
    state: ended ? "ended" : answer ? "connected" : "ringing",
    outcome: isMerged ? null : (ended?.outcome ?? null),
    reason: ended?.reason ?? null,
    answeredBy: answer?.by.deviceId ?? null,
    createdAt: isoTimestamp(call.createdAt),
    connectedAt: timestamp(answer?.at),
    endedAt: timestamp(ended?.at),
    durationSeconds: ended && answer ? durationSeconds(answer, ended.at) : null,
    participants: call.participants
      .filter(({ isUnknown }) => !isUnknown)
      .map((participant) => ledgerParticipant(participant, isMerged ? null : outcomeFor(call, participant))),
    log: call.log.slice(-MAX_TOLD_LOG),
  };
}

function outcomeFor(call: Call, { userId }: Participant): Outcome | null {
  return viewFor(call, userId, [])?.ended?.outcome ?? null;
}

function ledgerParticipant(participant: Participant, outcome: Outcome | null): CallEvent["participants"][number] {
  const last = participant.stays.at(-1);
  return {
    userId: participant.userId,
    state: participant.state,
    outcome,
    deviceId: last?.deviceId ?? participant.legs.find((leg) => leg.state === "declined")?.deviceId ?? null,
    joinedAt: timestamp(participant.stays[0]?.joinedAt),
    leftAt: timestamp(last?.leftAt),
    devices: participant.stays.map(({ deviceId, joinedAt, leftAt }) => ({
      deviceId,
      joinedAt: isoTimestamp(joinedAt),
      leftAt: timestamp(leftAt),
    })),
    legs: closedLegs(participant),
  };
}

/** While a device rings, how far it has got is only remembered: the history hears of it when it is over. */
function closedLegs({ legs }: Participant): CallEvent["participants"][number]["legs"] {
  const closed = legs.filter((leg) => !isOpen(leg)).map(({ deviceId, state }) => ({ deviceId, state }));
  return closed.sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
}

function timestamp(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoTimestamp(ms);
}
