import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { step } from "../../../workers/call/call.ts";
import { nextDeadline } from "../../../workers/call/deadlines.ts";
import type { Event } from "../../../workers/call/events.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import type { Call } from "../../../workers/call/state.ts";
import { outcomeOf } from "../../../workers/ledger/outcome.ts";
import {
  ADAS_PHONE,
  ADAS_TABLET,
  BOB,
  CID,
  CIDS_PHONE,
  CIDS_TABLET,
  EVE,
  EVES_PHONE,
  groupScript,
  LAPTOP,
  PHONE,
  script,
  T0,
  TABLET,
} from "../call/call-script.ts";
import { ENDINGS } from "./endings.ts";

/** What the call's row says, as the ledger writes it. */
function rowOf(call: Call) {
  const { outcome, connectedAt, endedAt, durationSeconds, answeredBy } = ledgerEvent(call);
  return { outcome, connectedAt, endedAt, durationSeconds, answeredBy };
}

function derived(call: Call) {
  const { answeredBy, ...rest } = outcomeOf(call.log);
  return { ...rest, answeredBy: answeredBy?.deviceId ?? null };
}

describe("[LOG-5] what a call came to follows from its log", () => {
  it.each(ENDINGS)("when it is $title", ({ play, outcome }) => {
    const { call } = play();
    expect(call.phase.kind).toBe("ended");
    expect(call.log.map(({ rev }) => rev)).toEqual(Array.from({ length: call.rev }, (_, i) => i + 1));
    expect(derived(call)).toEqual(rowOf(call));
    expect(derived(call).outcome).toBe(outcome);
  });

  it("at every moment of it, with the time of the answer before the end", () => {
    const played = script().rung();
    expect(derived(played.call)).toEqual(rowOf(played.call));
    played.answers(PHONE, 4_000);
    expect(derived(played.call)).toEqual(rowOf(played.call));
    expect(derived(played.call)).toMatchObject({ outcome: null, answeredBy: PHONE.deviceId, durationSeconds: null });
    played.hangsUp(ADAS_PHONE, 61_400);
    expect(derived(played.call)).toMatchObject({ outcome: "completed", durationSeconds: 61 });
  });

  it("whatever happens, in whatever order, between two people and among more", () => {
    const seen = new Set<unknown>();
    fc.assert(
      fc.property(fc.boolean(), fc.array(happening, { maxLength: 30 }), (isGroup, happenings) => {
        const call = played((isGroup ? groupScript() : script()).call, happenings);
        expect(derived(call)).toEqual(rowOf(call));
        expect(call.log.map(({ rev }) => rev)).toEqual(Array.from({ length: call.rev }, (_, i) => i + 1));
        if (call.phase.kind === "ended") seen.add(derived(call).outcome);
      }),
      { seed: 20_261_123, numRuns: 3_000 },
    );
    expect(seen).toContain("completed");
    expect(seen.size).toBeGreaterThanOrEqual(8);
  });
});

/** Fires what is due before anything else happens, as the platform does. */
function played(start: Call, happenings: readonly { event: Event; after: number }[]): Call {
  let [call, now] = [start, T0];
  for (const { event, after } of happenings) {
    now += after;
    if (nextDeadline(call, now, 10_000) <= now) call = step(call, ALARM, now).call;
    call = step(call, event, now).call;
  }
  return call;
}

const ALARM: Event = { type: "alarm", lastSignAt: 0, isCallerThere: false };
const TOLD = { state: "reaching" as const, people: "", moves: 0, drops: 0, turns: 0 };

const devices = [ADAS_PHONE, ADAS_TABLET, PHONE, TABLET, LAPTOP, CIDS_PHONE, CIDS_TABLET, EVES_PHONE];
const device = fc.constantFrom(...devices);
const user = fc.constantFrom(BOB, CID, EVE);

const command = fc.oneof(
  fc.record({ type: fc.constant("answer" as const), sdp: fc.constant("answer"), join: fc.boolean() }),
  fc.record({
    type: fc.constant("decline" as const),
    reason: fc.constantFrom("declined" as const, "busy" as const, "ignored" as const),
  }),
  fc.constant({ type: "alerting" as const }),
  fc.record({
    type: fc.constant("media" as const),
    state: fc.constantFrom("connected" as const, "recovering" as const, "failed" as const),
  }),
  fc.record({ type: fc.constant("hold" as const), on: fc.boolean() }),
  fc.constant({ type: "handoff" as const, sdp: "offer", to: null, connectionId: null }),
  fc.record({ type: fc.constant("invite" as const), callees: fc.subarray([BOB, CID, EVE], { minLength: 1 }) }),
  fc.constant({ type: "end" as const }),
);

const delivered = fc
  .record({
    userId: user,
    rung: fc.boolean(),
    silence: fc.constantFrom("none" as const, "none" as const, "silent" as const, "blocked" as const),
  })
  .map(({ userId, rung, silence }): Event => {
    const own = devices.filter((one) => one.userId === userId).map(({ deviceId }) => deviceId);
    const isRung = rung && silence === "none";
    const rest = { told: TOLD, name: null, pushed: [], hasIdleDevices: false };
    return { type: "delivered", userId, rung: isRung ? own : [], silence, ...rest };
  });

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ from: device, command }).map((said): Event => ({ type: "command", ...said })) },
  { weight: 4, arbitrary: delivered },
  { weight: 1, arbitrary: fc.constant(ALARM) },
  { weight: 1, arbitrary: device.map((gone): Event => ({ type: "disconnected", device: gone })) },
  { weight: 1, arbitrary: device.map((back): Event => ({ type: "connected", device: back, mayRing: true })) },
  { weight: 1, arbitrary: user.map((userId): Event => ({ type: "unknown", userId })) },
  {
    weight: 1,
    arbitrary: fc.constant<Event>({
      type: "merge",
      into: { callId: "01890000-0000-7000-8000-000000000000", callType: "video", sdp: null },
    }),
  },
);
const happening = fc.record({ event, after: fc.constantFrom(0, 0, 1, 400, 5_000, 11_000, 31_000) });
