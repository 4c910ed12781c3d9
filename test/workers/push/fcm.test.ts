import { afterEach, beforeEach, expect, it } from "vitest";
import { sendFcm } from "../../../workers/push/fcm.ts";
import { ringPayload } from "../../../workers/push/payload.ts";
import type { Outgoing } from "../../../workers/push/provider.ts";
import { FcmGateway, UNREGISTERED } from "../../support/push-fcm.ts";
import { CALL, ringingView } from "./views.ts";

let gateway: FcmGateway;
beforeEach(async () => {
  gateway = await FcmGateway.start();
});
afterEach(() => gateway.close());

function ring(): Outgoing {
  const until = Date.now() + 20_000;
  const payload = ringPayload(ringingView({ ringUntil: until }), "call-token", Date.now());
  return { callId: CALL, token: "device-token", until, payload };
}

const ACCEPTED = { kind: "accepted", status: 200 };

it("[PUSH-6] is a data message of high priority that is of use as long as the ring", async () => {
  const push = ring();
  expect(await sendFcm(gateway.vars, push)).toEqual(ACCEPTED);
  const { ttl, ...rest } = await gateway.next();
  expect(rest).toEqual({ token: "device-token", payload: push.payload, priority: "HIGH", collapseKey: CALL });
  expect(ttl).toBeGreaterThanOrEqual(18);
  expect(ttl).toBeLessThanOrEqual(20);
  expect(gateway.refusals).toEqual([]);
});

it("asks for one access token and keeps it", async () => {
  for (let pushes = 0; pushes < 3; pushes++) expect(await sendFcm(gateway.vars, ring())).toEqual(ACCEPTED);
  expect(gateway.tokensGiven).toBe(1);
});

it("asks for another one when it is refused", async () => {
  await sendFcm(gateway.vars, ring());
  gateway.revoke();
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "busy", status: 401, retryAfter: null });
  expect(await sendFcm(gateway.vars, ring())).toEqual(ACCEPTED);
  expect(gateway.tokensGiven).toBe(2);
});

it("[PUSH-5] a token that Google does not know any more is dead", async () => {
  gateway.answers(UNREGISTERED);
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "dead", status: 404 });
});

it("[PUSH-5] one of another project is not: the mistake may be in the settings", async () => {
  const details = [{ errorCode: "SENDER_ID_MISMATCH" }];
  gateway.answers({ status: 403, body: { error: { details } } }, { status: 404, body: { error: {} } });
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "failed", status: 403 });
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "failed", status: 404 });
});

it("[PUSH-5] is busy when the API is, or who gives out tokens", async () => {
  gateway.tokenAnswers.push({ status: 503 });
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "busy", status: 503, retryAfter: null });
  gateway.answers({ status: 429, headers: { "retry-after": "2" } });
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "busy", status: 429, retryAfter: "2" });
});

it("[PUSH-5] fails where the account is refused, or its token makes no sense", async () => {
  gateway.tokenAnswers.push({ status: 400, body: { error: "invalid_grant" } }, { status: 200, body: {} });
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "failed", status: 400 });
  expect(await sendFcm(gateway.vars, ring())).toEqual({ kind: "failed", status: 200 });
});

it.each(["", "{}", "not JSON"])("is not there with the account %j", async (FCM_SERVICE_ACCOUNT) => {
  expect(await sendFcm({ ...gateway.vars, FCM_SERVICE_ACCOUNT }, ring())).toEqual({ kind: "unconfigured" });
});

it("is not there with a key that is none", async () => {
  const account = { project_id: "p", client_email: "e", private_key: "no key" };
  const vars = { ...gateway.vars, FCM_SERVICE_ACCOUNT: JSON.stringify(account) };
  expect(await sendFcm(vars, ring())).toEqual({ kind: "unconfigured" });
});
