import { expect, test } from "vitest";
import { MAX_SDP } from "../../../schema/limits.ts";
import { viewFor } from "../../../workers/call/view.ts";
import { loaded, stored } from "../../../workers/user/row.ts";
import { type Event, newUser, step } from "../../../workers/user/user.ts";
import { BOB, script, T0 } from "../call/call-script.ts";

/** What a value of a Durable Object's storage may have. */
const ROW_BYTES = 2 * 1024 * 1024;

function ringing(callId: string): Event {
  const view = viewFor(script().call, BOB, []);
  if (!view) throw new Error("Bob has a part in the script");
  return { type: "call_changed", view: { ...view, callId, offer: "…".repeat(MAX_SDP) } };
}

test("a user whom many call at once with the largest descriptions has a row that can be written", () => {
  const calls = Array.from({ length: 100 }, (_, index) => ringing(`call ${index}`));
  const user = calls.reduce((before, event) => step(before, event, T0).user, newUser(BOB));
  expect(user.calls["call 7"]?.offer).toHaveLength(MAX_SDP);
  const row = stored(user);
  expect(new Blob([JSON.stringify(row)]).size).toBeLessThan(ROW_BYTES / 4);
  expect(row.calls["call 7"]).toMatchObject({ callId: "call 7", state: "reaching", offer: null });
});

test("neither does a call that was merged keep the other one's description", () => {
  const view = viewFor(script().call, BOB, []);
  const mergedInto = { callId: "into", callType: "audio" as const, sdp: "…".repeat(MAX_SDP) };
  const ended = { outcome: "cancelled" as const, reason: "glare_merged" as const, at: T0, by: null, mergedInto };
  const user = view
    ? step(newUser(BOB), { type: "call_changed", view: { ...view, state: "ended", ended } }, T0).user
    : null;
  const [entry] = Object.values(user ? stored(user).ended : {});
  expect(entry?.view.ended?.mergedInto).toEqual({ ...mergedInto, sdp: null });
});

test("a row of before has what came later", () => {
  const { abandoned: _, ...row } = newUser(BOB);
  expect(loaded(BOB, Object.assign(row))).toEqual(newUser(BOB));
  expect(loaded(BOB, undefined)).toEqual(newUser(BOB));
});
