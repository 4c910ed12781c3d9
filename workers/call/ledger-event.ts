import type { Outcome } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { CallEvent } from "../../schema/ledger.ts";
import { MAX_LOG } from "../../schema/limits.ts";
import type { MediaReport } from "../../schema/media-report.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { answerOf, isOpen } from "./people.ts";
import type { Call, Participant } from "./state.ts";
import { durationSeconds, viewFor } from "./view.ts";

/** What a queue's message of 128 KB has room for; more is only there when the ledger was away for long. */
const MAX_TOLD_LOG = 4 * MAX_LOG;

/** What a device has told of its media. */
type ReportOf = (device: DeviceRef) => MediaReport | undefined;

/** The whole truth about a call at its ledger revision: a later one replaces it. Pure. */
export function ledgerEvent(call: Call, reportOf: ReportOf = () => undefined): CallEvent {
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
      .map((participant) => ({
        ...ledgerParticipant(participant, isMerged ? null : outcomeFor(call, participant)),
        devices: devices(participant, reportOf),
      })),
    log: call.log.slice(-MAX_TOLD_LOG),
  };
}

function outcomeFor(call: Call, { userId }: Participant): Outcome | null {
  return viewFor(call, userId, [])?.ended?.outcome ?? null;
}

type LedgerParticipant = CallEvent["participants"][number];

function ledgerParticipant(participant: Participant, outcome: Outcome | null): Omit<LedgerParticipant, "devices"> {
  const last = participant.stays.at(-1);
  return {
    userId: participant.userId,
    state: participant.state,
    outcome,
    deviceId: last?.deviceId ?? participant.legs.find((leg) => leg.state === "declined")?.deviceId ?? null,
    joinedAt: timestamp(participant.stays[0]?.joinedAt),
    leftAt: timestamp(last?.leftAt),
    legs: closedLegs(participant),
  };
}

/** A report is of a device's latest stay. */
function devices({ userId, stays }: Participant, reportOf: ReportOf): LedgerParticipant["devices"] {
  return stays.map(({ deviceId, joinedAt, leftAt }, at) => {
    const isLatest = !stays.slice(at + 1).some((later) => later.deviceId === deviceId);
    const media = isLatest ? reportOf({ userId, deviceId }) : undefined;
    return { deviceId, joinedAt: isoTimestamp(joinedAt), leftAt: timestamp(leftAt), ...(media && { media }) };
  });
}

/** While a device rings, how far it has got is only remembered: the history hears of it when it is over. */
function closedLegs({ legs }: Participant): LedgerParticipant["legs"] {
  const closed = legs.filter((leg) => !isOpen(leg)).map(({ deviceId, state }) => ({ deviceId, state }));
  return closed.sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
}

function timestamp(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoTimestamp(ms);
}
