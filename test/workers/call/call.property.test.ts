import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { step } from "../../../workers/call/call.ts";
import { nextDeadline } from "../../../workers/call/deadlines.ts";
import type { Event } from "../../../workers/call/events.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import { notices } from "../../../workers/call/notices.ts";
import { answerOf } from "../../../workers/call/people.ts";
import type { Call, CallView, Told } from "../../../workers/call/state.ts";
import { concerns, toldOf } from "../../../workers/call/told.ts";
import { viewFor } from "../../../workers/call/view.ts";
import { isCommit } from "../../../workers/call/writing.ts";
import { ADAS_PHONE, BOB, LAPTOP, PHONE, script, T0, TABLET } from "./call-script.ts";

/** Fixed, so that a failure is found again; a seed that once failed is added as a scenario of its own. */
const SEED = 20_261_123;
const RUNS = 2_000;
const BOBS = [PHONE, TABLET, LAPTOP];

const STOPS_ITSELF = new Set(["answer", "decline", "end"]);

type Happening =
  | { kind: "event"; event: Event; after: number }
  /** The object loses its memory; what was written stays. */
  | { kind: "eviction" }
  /** Nothing is delivered until the next happening. */
  | { kind: "partition" };

const device = fc.constantFrom(...BOBS);
const anyone = fc.constantFrom(ADAS_PHONE, ...BOBS);

const command = fc.oneof(
  fc.record({ from: device, command: fc.constant({ type: "answer" as const, sdp: "answer", join: false }) }),
  fc.record({
    from: device,
    command: fc.record({
      type: fc.constant("decline" as const),
      reason: fc.constantFrom("declined" as const, "busy" as const, "ignored" as const),
    }),
  }),
  fc.record({ from: device, command: fc.constant({ type: "alerting" as const }) }),
  fc.record({
    from: anyone,
    command: fc.record({
      type: fc.constant("media" as const),
      state: fc.constantFrom("connected" as const, "recovering" as const, "failed" as const),
    }),
  }),
  fc.record({ from: anyone, command: fc.constant({ type: "end" as const }) }),
);

const after = fc.constantFrom(0, 0, 1, 500, 5_000, 31_000);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("event" as const),
      event: command.map(({ from, command: asked }): Event => ({ type: "command", from, command: asked })),
      after,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("event" as const),
      event: fc.constant<Event>({ type: "alarm", lastSignAt: 0, isCallerThere: true }),
      after,
    }),
  },
  { weight: 2, arbitrary: fc.constant<Happening>({ kind: "eviction" }) },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: "partition" }) },
);

/** A call object, its storage, and Bob's devices as his object would tell them. */
class World {
  memory: Call;
  stored: Call;
  now = T0;
  connected = true;
  winners = new Set<string>();
  told = new Map<string, Told>();
  ringing = new Set<string>();

  constructor() {
    this.memory = script().call;
    this.stored = this.memory;
    this.deliver();
  }

  play(happened: Happening): void {
    if (happened.kind === "eviction") this.memory = this.stored;
    if (happened.kind === "event") this.happen(happened.event, happened.after);
    this.connected = happened.kind !== "partition";
    this.deliver();
  }

  happen(event: Event, after: number): void {
    this.now += after;
    this.fireDueAlarm();
    const { verdict } = this.step(event);
    const answered = event.type === "command" && event.command.type === "answer" && verdict.kind === "done";
    if (answered && event.type === "command") this.winners.add(event.from.deviceId);
  }

  /** The platform fires an alarm that is due before anything else happens. */
  fireDueAlarm(): void {
    if (nextDeadline(this.memory, this.now, 10_000) <= this.now)
      this.step({ type: "alarm", lastSignAt: 0, isCallerThere: true });
  }

  step(event: Event): ReturnType<typeof step> {
    const next = step(this.memory, event, this.now);
    if (isCommit(this.memory, next.call)) this.stored = next.call;
    this.memory = next.call;
    return next;
  }

  /** What the shell does after every step: tells Bob's object what it has not heard. */
  deliver(): void {
    for (;;) {
      const view = viewFor(this.memory, BOB, []);
      if (!view || !concerns(this.memory.heard[BOB], view)) return;
      if (!this.connected) {
        this.step({ type: "delivery_failed", userId: BOB });
        return;
      }
      for (const { deviceId } of BOBS) this.tell(deviceId, view);
      const devices = BOBS.map(({ deviceId }) => deviceId);
      const taken = { told: toldOf(view), name: "Bob", rung: devices, pushed: [], silence: "none" as const };
      this.step({ type: "delivered", userId: BOB, ...taken, hasIdleDevices: true });
    }
  }

  tell(deviceId: string, view: CallView): void {
    for (const { type } of notices(this.told.get(deviceId), view, { deviceId, isEngaged: false }, this.now)) {
      if (type === "incoming_call") this.ringing.add(deviceId);
      else if (type !== "call_elsewhere") this.ringing.delete(deviceId);
    }
    this.told.set(deviceId, toldOf(view));
  }

  /** The network comes back and every alarm that is due fires, until the machine is at rest. */
  settle(): void {
    this.connected = true;
    this.deliver();
    this.happen({ type: "alarm", lastSignAt: 0, isCallerThere: true }, 31_000);
    this.happen({ type: "alarm", lastSignAt: 0, isCallerThere: true }, 31_000);
    this.deliver();
  }
}

function play(happenings: readonly Happening[]): World {
  const world = new World();
  for (const happened of happenings) world.play(happened);
  return world;
}

function check(property: fc.IProperty<[Happening[]]>): void {
  fc.assert(property, { seed: SEED, numRuns: RUNS });
}

const history = fc.array(happening, { maxLength: 25 });

describe("whatever happens, in whatever order", () => {
  test("[CALL-7] there is never a second winner, and the winner never changes", () => {
    check(
      fc.property(history, (happenings) => {
        const world = play(happenings);
        expect(world.winners.size).toBeLessThanOrEqual(1);
        const [winner] = world.winners;
        expect(answerOf(world.memory)?.by.deviceId).toBe(winner);
      }),
    );
  });

  test("[CALL-8] no device is left ringing", () => {
    check(
      fc.property(history, (happenings) => {
        const world = play(happenings);
        world.settle();
        const decided = [...world.winners];
        const declined = happenings.flatMap((h) =>
          h.kind === "event" && h.event.type === "command" && STOPS_ITSELF.has(h.event.command.type)
            ? [h.event.from.deviceId]
            : [],
        );
        // A device that answered, declined or ignored has stopped by itself.
        const left = [...world.ringing].filter((id) => !decided.includes(id) && !declined.includes(id));
        expect(left).toEqual([]);
      }),
    );
  });

  test("[CALL-14] after the ring time a call is decided", () => {
    check(
      fc.property(history, (happenings) => {
        const world = play(happenings);
        world.settle();
        expect(world.memory.phase.kind).not.toBe("ringing");
      }),
    );
  });

  test("[LEDGER-1] the history is the one without evictions", () => {
    check(
      fc.property(history, (happenings) => {
        const undisturbed = play(happenings.filter((happened) => happened.kind !== "eviction"));
        expect(ledgerEvent(play(happenings).memory)).toEqual(ledgerEvent(undisturbed.memory));
      }),
    );
  });

  test("[WIRE-7] everything said twice changes nothing", () => {
    check(
      fc.property(history, (happenings) => {
        const twice = happenings.flatMap((happened): Happening[] =>
          happened.kind === "event" ? [happened, { ...happened, after: 0 }] : [happened],
        );
        expect(ledgerEvent(play(twice).memory)).toEqual(ledgerEvent(play(happenings).memory));
      }),
    );
  });

  test("revisions never go back", () => {
    check(
      fc.property(history, (happenings) => {
        const world = new World();
        for (const happened of happenings) {
          const before = world.memory.rev;
          world.play(happened);
          expect(world.memory.rev).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });
});
