import type { Outcome } from "../../../schema/call.ts";
import {
  ADAS_PHONE,
  BOB,
  type CallScript,
  CIDS_PHONE,
  groupScript,
  LAPTOP,
  PHONE,
  script,
  TABLET,
} from "../call/call-script.ts";

/** Calls of every outcome, played to their end on the pure machine. */
export interface Ending {
  readonly title: string;
  /** Of the call; null for one that leaves no history. */
  readonly outcome: Outcome | null;
  play(): CallScript;
}

const MERGE = { callId: "01890000-0000-7000-8000-000000000000", callType: "video" as const, sdp: null };

export const ENDINGS: readonly Ending[] = [
  {
    title: "completed, on a second device, after a hold",
    outcome: "completed",
    play: () =>
      talking()
        .says(ADAS_PHONE, { type: "hold", on: true })
        .says(ADAS_PHONE, { type: "hold", on: false })
        .takesOver(TABLET, 2_000)
        .media(TABLET)
        .hangsUp(TABLET, 30_000),
  },
  { title: "completed before any media", outcome: "completed", play: () => script().rung().answers().hangsUp() },
  {
    title: "completed without a sign of life",
    outcome: "completed",
    play: () => talking().alarm(31 * 60_000),
  },
  {
    title: "missed, with a device that was silenced and one that was busy",
    outcome: "missed",
    play: () => script().rung().alerts().declines(TABLET, "ignored").declines(LAPTOP, "busy").alarm(30_000),
  },
  { title: "missed by a device that was pushed", outcome: "missed", play: () => script().pushed().alarm(30_000) },
  { title: "blocked", outcome: "blocked", play: () => blocked() },
  { title: "declined", outcome: "declined", play: () => script().rung().declines() },
  { title: "declined by no device", outcome: "declined", play: () => script().rung().alerts().declinesWhole() },
  { title: "busy", outcome: "busy", play: () => script().rung([PHONE]).declines(PHONE, "busy") },
  { title: "cancelled", outcome: "cancelled", play: () => script().rung().hangsUp() },
  {
    title: "cancelled, since the caller was lost",
    outcome: "cancelled",
    play: () => script().rung().event({ type: "disconnected", device: ADAS_PHONE }).alarm(11_000, 0, false),
  },
  { title: "unreachable", outcome: "unreachable", play: () => script().rung([]).alarm(5_000) },
  { title: "failed without media", outcome: "failed", play: () => script().rung().answers().alarm(15_000) },
  { title: "failed by a report", outcome: "failed", play: () => talking().media(PHONE, "failed") },
  {
    title: "merged into another",
    outcome: null,
    play: () => script().rung().event({ type: "merge", into: MERGE }),
  },
  {
    title: "completed in a group of which one member did not answer",
    outcome: "completed",
    play: () => ringingGroup().answers().media().alarm(31_000).hangsUp(ADAS_PHONE, 20_000),
  },
  {
    title: "declined by a group",
    outcome: "declined",
    play: () => ringingGroup().declines().declines(CIDS_PHONE),
  },
];

export function talking(): CallScript {
  return script().rung().alerts().answers(PHONE, 3_000).media();
}

/** Bob has blocked Ada: his devices hear nothing. */
export function blocked(): CallScript {
  return silent("blocked").alarm(30_000);
}

export function silent(silence: "silent" | "blocked"): CallScript {
  const told = { state: "reaching" as const, people: "", moves: 0, drops: 0, turns: 0 };
  const nobody = { told, name: "Bob", rung: [], pushed: [], hasIdleDevices: false };
  return script().event({ type: "delivered", userId: BOB, ...nobody, silence });
}

function ringingGroup(): CallScript {
  return groupScript().rung().rung([CIDS_PHONE]);
}
