import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IDEMPOTENCY_MS, MAX_DEVICES, PRESENCE_SWEEP_MS, REDELIVER_MS, WATCH_MS } from "../../../schema/limits.ts";
import { viewFor } from "../../../workers/call/view.ts";
import { abandonedDue } from "../../../workers/user/abandoned.ts";
import type { User } from "../../../workers/user/state.ts";
import {
  type Event,
  isCommit,
  isKnown,
  isOnline,
  isOutboxOverdue,
  newUser,
  nextDeadline,
  staleWatchers,
  step,
} from "../../../workers/user/user.ts";
import { BOB, EVE, PHONE, script, T0, TABLET } from "../call/call-script.ts";

const RETRY_MS = 10_000;

function register(deviceId: string, more: { deviceName?: string } = {}): Event {
  return { type: "register", device: { type: "register", deviceId, deviceType: "iPhone", ...more } };
}

function initiate(key: string, callId: string, calleeIds = [BOB]): Event {
  const rate = { burst: 20, perMinute: 30 };
  const rates = { user: rate, pair: rate };
  return { type: "initiate", key, initiation: { callId, calleeIds, callType: "video" }, rates, refusal: null };
}

function played(events: readonly Event[], now = T0, user: User = newUser(EVE)): User {
  return events.reduce((before, event) => step(before, event, now).user, user);
}

const ringing = (): Event => {
  const view = viewFor(script().call, BOB, []);
  if (!view) throw new Error("Bob has a part in the script");
  return { type: "call_changed", view };
};

describe("devices", () => {
  test("[PRES-1] a user is online with a device and offline when the last has gone", () => {
    const two = played([register(PHONE.deviceId), register(TABLET.deviceId)]);
    expect(isOnline(two)).toBe(true);
    const one = played([{ type: "gone", deviceId: PHONE.deviceId, at: T0 + 5 }], T0, two);
    expect(isOnline(one)).toBe(true);
    const none = played([{ type: "gone", deviceId: TABLET.deviceId, at: T0 + 9 }], T0, one);
    expect(isOnline(none)).toBe(false);
    expect(none.lastSeen).toBe(T0 + 9);
  });

  test("registering again as the same device writes nothing", () => {
    const once = played([register(PHONE.deviceId)]);
    expect(isCommit(once, played([register(PHONE.deviceId)], T0 + 1, once))).toBe(false);
  });

  test("[LEDGER-2] a device that registers, goes or is removed is news for the ledger", () => {
    const here = played([register(PHONE.deviceId)]);
    expect(Object.values(here.outbox)).toMatchObject([{ kind: "device", isActive: true, lastSeen: null }]);
    const away = played([{ type: "gone", deviceId: PHONE.deviceId, at: T0 }], T0, here);
    expect(Object.values(away.outbox)).toMatchObject([{ connectedAt: null, isActive: true }]);
    const removed = played([{ type: "removed", deviceId: PHONE.deviceId, at: 0 }], T0, away);
    expect(Object.values(removed.outbox)).toMatchObject([{ isActive: false, pushToken: null }]);
    expect(removed.devices).toEqual({});
  });

  test("[CONN-6] the device that was away longest makes room, and none that is connected does", () => {
    const ids = Array.from({ length: MAX_DEVICES }, (_, index) => `device ${index}`);
    const full = played(ids.map((id) => register(id)));
    expect(step(full, register("one more"), T0).verdict).toMatchObject({ kind: "refused" });
    const away = played([{ type: "gone", deviceId: "device 7", at: T0 }], T0, full);
    const { user, verdict } = step(away, register("one more"), T0);
    expect(verdict.kind).toBe("done");
    expect(Object.keys(user.devices)).not.toContain("device 7");
    expect(user.outbox["device:device 7"]).toMatchObject({ isActive: false, pushToken: null });
  });

  test("[PRES-1] a user whose last device is removed was seen until then", () => {
    const here = played([register(PHONE.deviceId)]);
    const removed = (at: number) => played([{ type: "removed", deviceId: PHONE.deviceId, at }], T0 + 60, here);
    expect(removed(T0 + 50)).toMatchObject({ lastSeen: T0 + 50, devices: {} });
    expect(Object.values(removed(T0 + 50).outbox)).toMatchObject([{ lastSeen: new Date(T0 + 50).toISOString() }]);
    expect(removed(0)).toMatchObject({ lastSeen: T0 });
  });

  test("[PUSH-1] a device whose push token died while it was away is not active until it is heard of again", () => {
    const push = { provider: "fcm" as const, token: "old" };
    const { deviceId } = PHONE;
    const died: Event = { type: "token_died", deviceId, token: "old" };
    const isActive = ({ outbox }: User) =>
      Object.values(outbox).map((event) => event.kind === "device" && event.isActive);
    const here = played([register(deviceId), { type: "push_token", deviceId, push }]);
    expect(isActive(played([died], T0, here))).toEqual([true]);
    const dead = played(
      [{ type: "gone", deviceId, at: T0 }, died, { type: "do_not_disturb", deviceId, on: true }],
      T0,
      here,
    );
    expect(dead.devices[deviceId]).toMatchObject({ push: null });
    expect(isActive(dead)).toEqual([false]);
    expect(isActive(played([register(deviceId)], T0, dead))).toEqual([true]);
    const renewed: Event = { type: "push_token", deviceId, push: { ...push, token: "new" } };
    expect(isActive(played([renewed], T0, dead))).toEqual([true]);
  });

  test("[CALL-3] a user is known once the app told of them or a device was here", () => {
    expect(isKnown(newUser(EVE))).toBe(false);
    expect(isKnown(played([{ type: "profile", profile: { name: "Eve", avatarUrl: null } }]))).toBe(true);
    expect(isKnown(played([register(PHONE.deviceId)]))).toBe(true);
  });
});

describe("initiations", () => {
  test("[CALL-2] the same key is the same call for five minutes", () => {
    const first = played([initiate("key", "call 1")]);
    const again = step(first, initiate("key", "call 2"), T0 + IDEMPOTENCY_MS - 1);
    expect(again.verdict).toEqual({ kind: "duplicate", callId: "call 1" });
    expect(again.user).toBe(first);
    expect(step(first, initiate("key", "call 2"), T0 + IDEMPOTENCY_MS).verdict.kind).toBe("done");
  });

  test("[CALL-2] the same key with other callees is refused", () => {
    const first = played([initiate("key", "call 1")]);
    expect(step(first, initiate("key", "call 2", [EVE]), T0).verdict).toMatchObject({
      kind: "refused",
      refusal: { code: "bad_message" },
    });
  });

  test("[CALL-3] a failed initiation frees its key, and only its own", () => {
    const first = played([initiate("key", "call 1")]);
    const failed = played([{ type: "initiation_failed", key: "key", callId: "call 1" }], T0, first);
    expect(failed).toMatchObject({ initiations: {}, calls: {} });
    const other = played([{ type: "initiation_failed", key: "key", callId: "call 0" }], T0, first);
    expect(other).toBe(first);
  });

  test("[CALL-3] of one that failed half way the key is free, and the call is given up until its object has heard so", () => {
    const lost: Event = { type: "initiation_lost", key: "key", callId: "call 1", deviceId: PHONE.deviceId };
    const user = played([initiate("key", "call 1"), lost]);
    expect(user).toMatchObject({ initiations: {}, calls: {} });
    expect(nextDeadline(user, RETRY_MS)).toBe(T0 + REDELIVER_MS);
    expect(abandonedDue(user, T0 + REDELIVER_MS)).toEqual([{ callId: "call 1", deviceId: PHONE.deviceId }]);
    const tried = played([{ type: "abandoning", callId: "call 1" }], T0 + REDELIVER_MS, user);
    expect(nextDeadline(tried, RETRY_MS)).toBe(T0 + 3 * REDELIVER_MS);
    const heard = played([{ type: "abandoned", callId: "call 1" }], T0, tried);
    expect(nextDeadline(heard, RETRY_MS)).toBeNull();
    expect(isCommit(tried, heard)).toBe(true);
  });

  test("[CALL-3] nothing is given up that was given up before", () => {
    const lost: Event = { type: "initiation_lost", key: "key", callId: "call 1", deviceId: PHONE.deviceId };
    const again = played([initiate("key", "call 1"), lost, initiate("key", "call 2")]);
    expect(played([lost], T0, again)).toBe(again);
  });

  test("old keys do not pile up", () => {
    const events = Array.from({ length: 50 }, (_, index) => initiate(`key ${index}`, `call ${index}`));
    const user = events.reduce((before, event, index) => step(before, event, T0 + index * 60_000).user, newUser(EVE));
    expect(Object.keys(user.initiations).length).toBeLessThanOrEqual(5);
  });
});

describe("calls", () => {
  test("[CONN-5] being rung is written, so that a device that comes late learns of it", () => {
    const before = newUser(BOB);
    expect(isCommit(before, played([ringing()], T0, before))).toBe(true);
  });

  test("the end of a call costs no write of its own", () => {
    const rung = played([ringing()]);
    const view = viewFor(script().rung().hangsUp().call, BOB, []);
    const over = view ? played([{ type: "call_changed", view }], T0, rung) : rung;
    expect(over.calls).toEqual({});
    expect(isCommit(rung, over)).toBe(false);
  });

  test("an older view does not replace a newer one", () => {
    const view = viewFor(script().rung().answers().call, BOB, []);
    const answered = view ? played([{ type: "call_changed", view }]) : newUser(BOB);
    expect(played([ringing()], T0, answered)).toBe(answered);
  });
});

describe("presence and the ledger", () => {
  test("[PRES-3] sockets are swept while the user is watched, and only then", () => {
    const confirmed: Event = { type: "ledger_confirmed", entries: [{ key: `device:${PHONE.deviceId}`, rev: 99 }] };
    const online = played([register(PHONE.deviceId), confirmed]);
    expect(nextDeadline(online, RETRY_MS)).toBeNull();
    const watched = played([{ type: "watched", by: BOB }], T0, online);
    expect(nextDeadline(watched, RETRY_MS)).toBe(T0 + PRESENCE_SWEEP_MS);
    const again = played([{ type: "watched", by: EVE }], T0 + 9, watched);
    expect(nextDeadline(again, RETRY_MS)).toBe(T0 + PRESENCE_SWEEP_MS);
  });

  test("[PRES-2] watchers are asked after a while whether they still care", () => {
    const watched = played([{ type: "watched", by: BOB }]);
    expect(staleWatchers(watched, T0 + WATCH_MS - 1)).toEqual([]);
    expect(staleWatchers(watched, T0 + WATCH_MS)).toEqual([BOB]);
    expect(played([{ type: "unwatched", by: BOB }], T0, watched).watchers).toEqual({});
  });

  test("[LEDGER-2] an event has its time from when it was decided: nobody is woken for nothing", () => {
    const first = played([register(PHONE.deviceId)]);
    expect(nextDeadline(first, RETRY_MS)).toBe(T0 + RETRY_MS);
    expect(isOutboxOverdue(first, T0 + RETRY_MS - 1, RETRY_MS)).toBe(false);
  });

  test("[LEDGER-2] later events do not put off that the first one is told again", () => {
    const first = played([register(PHONE.deviceId)]);
    const later = played([register(TABLET.deviceId)], T0 + RETRY_MS - 1, first);
    expect(nextDeadline(later, RETRY_MS)).toBe(T0 + RETRY_MS);
    const again = played([{ type: "ledger_told" }], T0 + RETRY_MS, later);
    expect(nextDeadline(again, RETRY_MS)).toBe(T0 + 2 * RETRY_MS);
  });

  test("[LEDGER-2] an event stays until that revision of it is confirmed", () => {
    const user = played([register(PHONE.deviceId)]);
    expect(isOutboxOverdue(user, T0 + RETRY_MS, RETRY_MS)).toBe(true);
    const key = `device:${PHONE.deviceId}`;
    const early = played([{ type: "ledger_confirmed", entries: [{ key, rev: 0 }] }], T0, user);
    expect(Object.keys(early.outbox)).toEqual([key]);
    const confirmed = played([{ type: "ledger_confirmed", entries: [{ key, rev: user.rev }] }], T0, user);
    expect(confirmed.outbox).toEqual({});
    expect(isCommit(user, confirmed)).toBe(true);
  });
});

test("whatever happens, a key never names two calls and revisions never go back", () => {
  const device = fc.constantFrom(PHONE.deviceId, TABLET.deviceId);
  const key = fc.constantFrom("a", "b");
  const call = fc.constantFrom("1", "2", "3");
  const event: fc.Arbitrary<Event> = fc.oneof(
    device.map((id) => register(id)),
    device.map((deviceId): Event => ({ type: "gone", deviceId, at: T0 })),
    fc.tuple(key, call).map(([k, c]) => initiate(k, c)),
    fc.tuple(key, call).map(([k, c]): Event => ({ type: "initiation_failed", key: k, callId: c })),
    fc.constant<Event>({ type: "watched", by: BOB }),
    fc.constant(ringing()),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(400_000)), { maxLength: 30 }), (events) => {
      let now = T0;
      let user = newUser(EVE);
      const calls = new Map<string, string>();
      for (const [happened, wait] of events) {
        now += wait;
        const next = step(user, happened, now);
        expect(next.user.rev).toBeGreaterThanOrEqual(user.rev);
        user = next.user;
        if (happened.type === "initiation_failed" && calls.get(happened.key) === happened.callId)
          calls.delete(happened.key);
        if (happened.type !== "initiate") continue;
        if (next.verdict.kind === "duplicate") expect(next.verdict.callId).toBe(calls.get(happened.key));
        else calls.set(happened.key, happened.initiation.callId);
      }
    }),
    { seed: 20_261_123, numRuns: 1_000 },
  );
});
