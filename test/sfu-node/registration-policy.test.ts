import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { retryDelayMs } from "../../sfu-node/backoff.ts";
import {
  type Event,
  type FleetReply,
  nextDeadline,
  type Registration,
  start,
  step,
} from "../../sfu-node/registration-policy.ts";

const heard = (message: FleetReply): Event => ({ type: "heard", message, jitter: 1 });
const OPENED: Event = { type: "opened" };
const REGISTERED = heard({ type: "node_registered", leaseMs: 15_000, heartbeatMs: 5_000 });
const LEASE = heard({ type: "node_lease", leaseMs: 15_000 });
const ERROR = heard({ type: "error", code: "bad_message", message: "no" });
const CLOSED: Event = { type: "closed", jitter: 1 };
const TIME: Event = { type: "time_passed", jitter: 1 };
const LOAD: Event = { type: "load_changed" };
const STOP: Event = { type: "stop" };

const dialing: Registration = { phase: "dialing", failures: 2, deadline: 10_000 };
const registering: Registration = { phase: "registering", failures: 2, deadline: 10_000 };
const registered: Registration = { phase: "registered", heartbeatMs: 5_000, heartbeatAt: 5_000, leaseUntil: 15_000 };
const waiting: Registration = { phase: "waiting", failures: 2, deadline: 1_000 };
const stopped: Registration = { phase: "stopped" };

describe("the registration, transition by transition", () => {
  it("starts by dialing", () => {
    expect(start(100)).toEqual({ state: { phase: "dialing", failures: 0, deadline: 10_100 }, commands: ["dial"] });
  });

  const wait = (failures: number, deadline: number) => ({ phase: "waiting", failures, deadline });
  it.each<[string, Registration, Event, number, object, string[]]>([
    ["dialing -> opened: registers", dialing, OPENED, 5, { ...dialing, phase: "registering" }, ["register"]],
    ["dialing -> closed: waits longer than before", dialing, CLOSED, 0, wait(3, 2_000), []],
    ["dialing -> its time not yet over", dialing, TIME, 9_999, dialing, []],
    ["dialing -> its time over: gives up", dialing, TIME, 10_000, wait(3, 12_000), ["hang_up"]],
    ["registering -> registered: reports its load at once", registering, REGISTERED, 0, registered, ["heartbeat"]],
    ["registering -> refused: gives up", registering, ERROR, 0, wait(3, 2_000), ["hang_up"]],
    ["registering -> no answer: gives up", registering, TIME, 10_000, wait(3, 12_000), ["hang_up"]],
    ["registering -> closed", registering, CLOSED, 0, wait(3, 2_000), []],
    ["registering -> load changed: waits for the first heartbeat", registering, LOAD, 0, registering, []],
    [
      "registered -> time for a heartbeat",
      registered,
      TIME,
      5_000,
      { ...registered, heartbeatAt: 10_000 },
      ["heartbeat"],
    ],
    ["registered -> not yet time", registered, TIME, 4_999, registered, []],
    ["registered -> lease renewed", registered, LEASE, 5_000, { ...registered, leaseUntil: 20_000 }, []],
    ["registered -> lease run out: the socket is dead", registered, TIME, 15_000, wait(1, 15_500), ["hang_up"]],
    ["registered -> closed: the first try again", registered, CLOSED, 100, wait(1, 600), []],
    ["registered -> an error: stays", registered, ERROR, 100, registered, []],
    ["registered -> load changed", registered, LOAD, 100, { ...registered, heartbeatAt: 5_100 }, ["heartbeat"]],
    ["waiting -> time over: dials", waiting, TIME, 1_000, { ...dialing, deadline: 11_000 }, ["dial"]],
    ["waiting -> not yet time", waiting, TIME, 999, waiting, []],
    ["waiting -> closed, late: nothing", waiting, CLOSED, 500, waiting, []],
    ["waiting -> stop", waiting, STOP, 500, stopped, ["hang_up"]],
    ["registered -> stop", registered, STOP, 500, stopped, ["hang_up"]],
    ["stopped -> closed: nothing", stopped, CLOSED, 500, stopped, []],
    ["stopped -> registered, late: nothing", stopped, REGISTERED, 500, stopped, []],
  ])("%s", (_title, before, event, now, state, commands) => {
    expect(step(before, event, now)).toEqual({ state, commands });
  });
});

describe("the back-off", () => {
  it("doubles up to 15 s, spread over its second half", () => {
    expect([0, 1, 2, 3, 4, 5, 20].map((failures) => retryDelayMs(failures, 1))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
    ]);
    expect(retryDelayMs(5, 0)).toBe(7_500);
    expect(retryDelayMs(0, 0)).toBe(250);
  });
});

describe("the registration under any order of events", () => {
  const event = fc.constantFrom(OPENED, REGISTERED, LEASE, ERROR, CLOSED, TIME, LOAD);
  const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), event), { maxLength: 50 });

  it("holds at most one socket, always has something to wait for, and comes to register again", () => {
    fc.assert(
      fc.property(history, (steps) => {
        let now = 0;
        let { state } = start(now);
        for (const [later, next] of steps) {
          now += later;
          const { state: after, commands } = step(state, next, now);
          // A new socket is dialled only where the old one is known to be gone.
          if (commands.includes("dial")) expect(state.phase).toBe("waiting");
          if (after.phase === "waiting" && state.phase !== "waiting" && next.type !== "closed") {
            expect(commands).toContain("hang_up");
          }
          expect(nextDeadline(after)).not.toBeNull();
          state = after;
        }
        expect(registersAfter(state, now)).toBe(true);
      }),
      { seed: 20_263, numRuns: 500 },
    );
  });

  /** Whether an edge that answers brings the node back, from wherever it is. */
  function registersAfter(from: Registration, now: number): boolean {
    const closed = step(from, CLOSED, now).state;
    const dialled = step(closed, TIME, nextDeadline(closed) ?? now).state;
    return step(step(dialled, OPENED, now).state, REGISTERED, now).state.phase === "registered";
  }
});
