import type { CallEvent } from "../../schema/ledger.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { answerOf } from "./people.ts";
import type { Call, Participant } from "./state.ts";
import { durationSeconds } from "./view.ts";

/** The whole truth about a call at its ledger revision: a later one replaces it. Pure. */
export function ledgerEvent(call: Call): CallEvent {
  const answer = answerOf(call);
  const ended = call.phase.kind === "ended" ? call.phase : null;
  return {
    kind: "call",
    callId: call.callId,
    rev: call.ledger.due,
    callType: call.callType,
    initiatorId: call.caller.userId,
    state: ended ? "ended" : answer ? "connected" : "ringing",
    outcome: ended?.outcome ?? null,
    reason: ended?.reason ?? null,
    answeredBy: answer?.by.deviceId ?? null,
    createdAt: isoTimestamp(call.createdAt),
    connectedAt: timestamp(answer?.at),
    endedAt: timestamp(ended?.at),
    durationSeconds: ended && answer ? durationSeconds(answer, ended.at) : null,
    participants: call.participants.map(ledgerParticipant),
  };
}

function ledgerParticipant(participant: Participant): CallEvent["participants"][number] {
  const last = participant.stays.at(-1);
  return {
    userId: participant.userId,
    state: participant.state,
    deviceId: last?.deviceId ?? participant.legs.find((leg) => leg.state === "declined")?.deviceId ?? null,
    joinedAt: timestamp(participant.stays[0]?.joinedAt),
    leftAt: timestamp(last?.leftAt),
    devices: participant.stays.map(({ deviceId, joinedAt, leftAt }) => ({
      deviceId,
      joinedAt: isoTimestamp(joinedAt),
      leftAt: timestamp(leftAt),
    })),
  };
}

function timestamp(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoTimestamp(ms);
}
