import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { person, WorkerdDevice } from "../../support/workerd-device.ts";

test("[CONN-5] [CALL-12] a device that came while it rang keeps a call ringing whose other device is busy, also after an eviction", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [caller, phone, tablet] = [new WorkerdDevice(ada), new WorkerdDevice(bob), new WorkerdDevice(bob)];
  for (const device of [caller, phone]) await device.connect();
  caller.send({ type: "call_initiate", idempotencyKey: "1", calleeIds: [bob.userId], callType: "video" });
  const { callId } = await caller.next("call_initiated");
  await phone.next("incoming_call");
  phone.send({ type: "call_alerting", callId });
  await caller.next("call_ringing");
  await tablet.connect();
  await tablet.next("incoming_call");
  await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "hibernate" });
  await phone.ask({ type: "call_decline", callId, reason: "busy" });
  expect(await tablet.ask({ type: "call_answer", callId })).toMatchObject({ type: "call_connected" });
  expect(await caller.next("call_connected")).toMatchObject({ answeredBy: { deviceId: tablet.deviceId } });
});
