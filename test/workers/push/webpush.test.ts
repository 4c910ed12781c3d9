import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noticePayload, ringPayload } from "../../../workers/push/payload.ts";
import type { Outgoing } from "../../../workers/push/provider.ts";
import { vapidKeys } from "../../../workers/push/vapid.ts";
import { sendWebPush } from "../../../workers/push/webpush.ts";
import { decryptPush } from "../../support/push-decrypt.ts";
import { WebPushGateway } from "../../support/push-web.ts";
import { CALL, endedView, ringingView } from "./views.ts";

let gateway: WebPushGateway;
beforeAll(async () => {
  gateway = await WebPushGateway.start();
});
afterAll(() => gateway.close());

const bytes = (text: string) => Buffer.from(text, "base64url");

function ring(token: string): Outgoing {
  const until = Date.now() + 20_000;
  return {
    callId: CALL,
    token,
    until,
    payload: ringPayload(ringingView({ ringUntil: until }), "call-token", Date.now()),
  };
}

describe("Web Push", () => {
  it("[PUSH-6] the tests' browser reads the example of RFC 8291, section 5", () => {
    const receiver = {
      privateKey: bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
      publicKey: bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
      auth: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
    };
    const body = bytes(
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
    expect(decryptPush(body, receiver)).toBe("When I grow up, I want to be a watermelon");
  });

  it("[PUSH-6] the browser alone can read it, the push service knows who sent it and how long it is of use", async () => {
    const { id, token } = gateway.subscribe();
    const push = ring(token);
    expect(await sendWebPush(gateway.vars, push)).toEqual({ kind: "accepted", status: 201 });
    const { payload, ttl, ...rest } = await gateway.next();
    expect(payload).toEqual(push.payload);
    expect(ttl).toBeGreaterThanOrEqual(18);
    expect(ttl).toBeLessThanOrEqual(20);
    expect(rest).toEqual({ subscriptionId: id, urgency: "high", topic: CALL.replaceAll("-", "") });
  });

  it("[PUSH-6] a notice is not urgent, and takes the ring's place where that still waits", async () => {
    const { token } = gateway.subscribe();
    const payload = noticePayload(endedView("missed"), "missed_call", Date.now());
    await sendWebPush(gateway.vars, { ...ring(token), payload });
    expect(await gateway.next()).toMatchObject({ payload, urgency: "normal", topic: CALL.replaceAll("-", "") });
  });

  it.each([404, 410])("[PUSH-5] a subscription of which the push service says %i is dead", async (status) => {
    gateway.answers({ status });
    expect(await sendWebPush(gateway.vars, ring(gateway.subscribe().token))).toEqual({ kind: "dead", status });
  });

  it("[PUSH-5] says when it may be asked again", async () => {
    gateway.answers({ status: 429, headers: { "retry-after": "3" } });
    const sent = await sendWebPush(gateway.vars, ring(gateway.subscribe().token));
    expect(sent).toEqual({ kind: "busy", status: 429, retryAfter: "3" });
  });

  it("[PUSH-6] follows no redirect", async () => {
    const { token } = gateway.subscribe();
    const before = gateway.received.length;
    gateway.answers({ status: 307, headers: { location: `${gateway.origin}/push/elsewhere` } });
    expect(await sendWebPush(gateway.vars, ring(token))).toEqual({ kind: "failed", status: 307 });
    expect(gateway.received).toHaveLength(before + 1);
  });

  it("[PUSH-6] asks nobody for what is no subscription, or one where it may not go", async () => {
    const { token } = gateway.subscribe();
    const before = gateway.received.length;
    const dead = { kind: "dead", status: null };
    expect(await sendWebPush({ ...gateway.vars, PUSH_TO_LOOPBACK: "off" }, ring(token))).toEqual(dead);
    for (const damaged of ["", "{}", token.replace(/"p256dh":"[^"]*"/, '"p256dh":"AAAA"')]) {
      expect(await sendWebPush(gateway.vars, ring(damaged))).toEqual(dead);
    }
    expect(gateway.received).toHaveLength(before);
    expect(gateway.refusals).toEqual([]);
  });

  it("is not there without a key, and an unreachable service is one that is busy", async () => {
    const { token } = gateway.subscribe();
    expect(await sendWebPush({ VAPID_SUBJECT: "", PUSH_TO_LOOPBACK: "on" }, ring(token))).toEqual({
      kind: "unconfigured",
    });
    const nowhere = token.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1");
    expect(await sendWebPush(gateway.vars, ring(nowhere))).toEqual({ kind: "busy", status: null, retryAfter: null });
  });
});

describe("the VAPID key", () => {
  it("is a JWK or its 32 bytes, and gives what a browser subscribes with", () => {
    const VAPID_PRIVATE_KEY = gateway.vars.VAPID_PRIVATE_KEY;
    const keys = vapidKeys({ VAPID_PRIVATE_KEY, VAPID_SUBJECT: "" });
    expect(keys?.publicKey).toBe(gateway.applicationServerKey);
    expect(vapidKeys({ VAPID_PRIVATE_KEY: JSON.stringify(keys?.privateKey), VAPID_SUBJECT: "" })).toEqual(keys);
  });

  it.each([undefined, "", "short", "{}", '{"kty":"RSA"}', "A".repeat(43), "_".repeat(43)])(
    "is not %s",
    (VAPID_PRIVATE_KEY) => {
      const key = VAPID_PRIVATE_KEY === undefined ? {} : { VAPID_PRIVATE_KEY };
      expect(vapidKeys({ ...key, VAPID_SUBJECT: "" })).toBeNull();
    },
  );
});
