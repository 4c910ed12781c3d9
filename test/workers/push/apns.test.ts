import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { PushAnswer, PushOrder } from "../../../schema/fleet.ts";
import { PushRelay } from "../../../sfu-node/push-relay.ts";
import { type ApnsEnv, sendApns } from "../../../workers/push/apns.ts";
import { noticePayload, ringPayload } from "../../../workers/push/payload.ts";
import type { Outgoing } from "../../../workers/push/provider.ts";
import { ApnsGateway } from "../../support/push-apns.ts";
import { CALL, endedView, ringingView } from "./views.ts";

let gateway: ApnsGateway;
let relay: PushRelay;
beforeEach(async () => {
  gateway = await ApnsGateway.start();
  relay = new PushRelay({ apnsUrl: gateway.url, ca: gateway.ca, log: () => {} });
});
afterEach(async () => {
  vi.useRealTimers();
  await relay.close();
  await gateway.close();
});

const ACCEPTED = { kind: "accepted", status: 200 };

/** A fleet with a relay in its second region. */
function env(push: (order: PushOrder) => Promise<PushAnswer | null> = (order) => relay.send(order)): ApnsEnv {
  const regions = new Map([["here", push]]);
  const FLEET = { getByName: (region: string) => ({ push: regions.get(region) ?? (async () => null) }) };
  return { ...gateway.vars, SFU_REGIONS: "far, here", FLEET };
}

function ring(): Outgoing {
  const until = Date.now() + 20_000;
  const payload = ringPayload(ringingView({ ringUntil: until }), "call-token", Date.now());
  return { callId: CALL, token: "a1b2c3", until, payload };
}

it("[PUSH-6] a VoIP push has its own topic, ends with the ring, and shows nothing by itself", async () => {
  const push = ring();
  expect(await sendApns(env(), push, "voip")).toEqual(ACCEPTED);
  const { authorization, ...rest } = await gateway.next();
  expect(rest).toEqual({
    token: "a1b2c3",
    type: "voip",
    expiration: Math.floor(push.until / 1000),
    priority: "10",
    collapseId: undefined,
    aps: {},
    switchboard: push.payload,
  });
  expect(gateway.refusals).toEqual([]);
});

it("[PUSH-6] an alert says who calls, and what comes later takes its place", async () => {
  await sendApns(env(), ring(), "alert");
  const alert = { title: "Ada", body: "Incoming video call" };
  expect(await gateway.next()).toMatchObject({ type: "alert", collapseId: CALL, aps: { alert, sound: "default" } });
});

it.each([
  ["missed_call", "Missed video call"],
  ["answered_elsewhere", "Answered on another device"],
  ["call_over", "The call is over"],
] as const)("[PUSH-4] a notice says so without a sound: %s", async (type, body) => {
  await sendApns(env(), { ...ring(), payload: noticePayload(endedView("missed"), type, Date.now()) }, "alert");
  const { aps, collapseId } = await gateway.next();
  expect({ aps, collapseId }).toEqual({ aps: { alert: { title: "Ada", body } }, collapseId: CALL });
});

it("keeps its provider token for less than an hour", async () => {
  const tokenOf = async () => {
    await sendApns(env(), ring(), "voip");
    return (await gateway.next()).authorization;
  };
  const first = await tokenOf();
  expect(await tokenOf()).toBe(first);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 50 * 60_000 });
  expect(await tokenOf()).not.toBe(first);
});

it("makes a new one where Apple holds it for expired", async () => {
  gateway.answers({ status: 403, body: { reason: "ExpiredProviderToken" } });
  expect(await sendApns(env(), ring(), "voip")).toMatchObject({ kind: "busy", status: 403 });
  expect(await sendApns(env(), ring(), "voip")).toEqual(ACCEPTED);
});

it.each<[number, string, object]>([
  [410, "Unregistered", { kind: "dead", status: 410 }],
  [400, "BadDeviceToken", { kind: "failed", status: 400 }],
  [400, "TopicDisallowed", { kind: "failed", status: 400 }],
  [429, "TooManyRequests", { kind: "busy", status: 429, retryAfter: "4" }],
  [503, "Shutdown", { kind: "busy", status: 503, retryAfter: "4" }],
])("[PUSH-5] %i %s", async (status, reason, expected) => {
  gateway.answers({ status, body: { reason }, headers: status < 429 ? {} : { "retry-after": "4" } });
  expect(await sendApns(env(), ring(), "voip")).toEqual(expected);
});

it("[PUSH-5] says so while no node relays", async () => {
  expect(
    await sendApns(
      env(async () => null),
      ring(),
      "voip",
    ),
  ).toEqual({ kind: "no_relay" });
});

it("asks nobody with a token that is none", async () => {
  const push = vi.fn(async () => null);
  expect(await sendApns(env(push), { ...ring(), token: "../../x" }, "voip")).toEqual({ kind: "dead", status: null });
  expect(push).not.toHaveBeenCalled();
});

it.each(["APNS_KEY", "APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC"])("is not there without %s", async (name) => {
  expect(await sendApns({ ...env(), [name]: "" }, ring(), "voip")).toEqual({ kind: "unconfigured" });
});

it("is not there with a key that is none", async () => {
  expect(await sendApns({ ...env(), APNS_KEY: "no key" }, ring(), "voip")).toEqual({ kind: "unconfigured" });
});
