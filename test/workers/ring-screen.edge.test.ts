import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CallEventsResponse, CallResponse, HistoryResponse } from "../../schema/http.ts";
import { signCallToken } from "../../workers/http/call-token.ts";
import { Device } from "../support/device.ts";
import { Edge, type Person, SECRETS } from "../support/edge.ts";
import { PATIENCE } from "../support/patience.ts";
import { expectRefusal } from "../support/refused.ts";
import { ring, type Scene, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

async function post(who: { token: string }, callId: string, what: string, body?: object): Promise<Response> {
  const init = { method: "POST", ...(body && { body: JSON.stringify(body) }) };
  return edge.fetch(`/api/calls/${callId}/${what}`, { ...init, headers: { authorization: `Bearer ${who.token}` } });
}

async function stateOf(response: Response) {
  return CallResponse.parse(await response.json()).call;
}

/** What the ledger tells of a call, once it has heard its end. */
async function eventsOf(who: Person, callId: string): Promise<CallEventsResponse | null> {
  const answer = await edge.as(who, `/api/calls/${callId}/events`);
  if (answer.status !== 200) return null;
  const log = CallEventsResponse.parse(await answer.json());
  return log.events.at(-1)?.kind === "ended" ? log : null;
}

/** Bob's watch was woken by a push: all that it has is what the push carried. */
async function woken({ bob }: Scene, callId: string): Promise<Person & { deviceId: string }> {
  const deviceId = randomUUID();
  const token = await signCallToken(SECRETS, { userId: bob.userId, callId, deviceId }, Date.now() + 30_000);
  return { ...bob, token, deviceId };
}

describe("a ring screen without a socket", () => {
  test("[PUSH-3] looks how the call stands, alerts, and answers: its call socket carries the rest", async () => {
    const people = await scene(edge);
    const { caller, phone, bob } = people;
    const callId = await ring(people);
    const watch = await woken(people, callId);
    const headers = { authorization: `Bearer ${watch.token}` };
    const rings = await stateOf(await edge.fetch(`/api/calls/${callId}`, { headers }));
    expect(rings).toMatchObject({ callId, state: "reaching", caller: { name: "Ada" }, sdp: "offer" });
    await post(watch, callId, "alerting");
    expect(await caller.next("call_ringing")).toMatchObject({ callId });
    const answered = await stateOf(await post(watch, callId, "answer", { sdp: "answer" }));
    expect(answered).toMatchObject({ state: "connecting", answeredBy: { deviceId: watch.deviceId } });
    expect(await caller.next("call_connected")).toMatchObject({ sdp: "answer" });
    expect(await phone.next("call_cancelled")).toMatchObject({ byDevice: watch.deviceId });
    const socket = await Device.open(`${edge.ws}/calls/${callId}/ws`, watch.token, bob.userId, watch.deviceId);
    await socket.register();
    socket.send({ type: "call_media", callId, state: "connected" });
    expect(await caller.next("call_state")).toMatchObject({ state: "connected" });
    expect((await stateOf(await post(watch, callId, "end"))).outcome).toBe("completed");
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "completed" });
  });

  test("[PUSH-3] the token is good for that call and that device alone", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    const watch = await woken(people, callId);
    const others = ["/api/calls", "/api/contacts", `/api/calls/${randomUUID()}`, `/api/calls/${callId}/events`];
    const removal = { method: "DELETE", headers: { authorization: `Bearer ${watch.token}` } };
    expect((await edge.fetch(`/api/calls/${callId}`, removal)).status).toBe(401);
    for (const path of others) {
      const { status } = await edge.fetch(path, { headers: { authorization: `Bearer ${watch.token}` } });
      expect([path, status]).toEqual([path, 401]);
    }
    expect(await Device.refusal(`${edge.ws}/ws`, watch.token)).toBe(401);
    const socket = await Device.open(`${edge.ws}/calls/${callId}/ws`, watch.token, watch.userId, randomUUID());
    socket.send({ type: "register", deviceId: socket.deviceId, deviceType: "Watch" });
    expect(await socket.next("error")).toMatchObject({ code: "forbidden" });
    const declined = await post(watch, callId, "decline", { deviceId: people.tablet.deviceId });
    expect((await stateOf(declined)).outcome).toBe("declined");
    expect(await people.tablet.next("call_cancelled")).toMatchObject({ byDevice: watch.deviceId });
  });

  test("[HTTP-6] with the user's own token, an empty body declines, and hangs up with the device that is in the call", async () => {
    const people = await scene(edge);
    const first = await ring(people);
    expect(await stateOf(await post(people.bob, first, "decline"))).toMatchObject({ outcome: "declined" });
    expect(await people.caller.next("call_ended")).toMatchObject({ callId: first, outcome: "declined" });
    const second = await ring(people);
    const { deviceId } = people.phone;
    await post(people.bob, second, "answer", { deviceId });
    expect(await stateOf(await post(people.bob, second, "end"))).toMatchObject({ outcome: "completed" });
  });

  test("[HTTP-6] a refusal is answered as one, also where the device has a call socket, which hears nothing of it", async () => {
    const people = await scene(edge);
    const { ada, bob, caller, phone } = people;
    const callId = await ring(people);
    const [callers, phones] = [await edge.callSocket(ada, caller, callId), await edge.callSocket(bob, phone, callId)];
    const refused = await post(ada, callId, "answer", { deviceId: caller.deviceId });
    await expectRefusal(refused, 403, "forbidden");
    expect((await post(ada, callId, "decline", { deviceId: caller.deviceId })).status).toBe(403);
    await callers.settle();
    expect(callers.story()).toEqual(["registered", "recover"]);
    const answered = await post(bob, callId, "answer", { deviceId: phone.deviceId, sdp: "answer" });
    expect(await stateOf(answered)).toMatchObject({ state: "connecting", answeredBy: { deviceId: phone.deviceId } });
    expect(await phones.next("call_connected")).toMatchObject({ callId });
    expect(await stateOf(await post(bob, callId, "end", { deviceId: phone.deviceId }))).toMatchObject({
      outcome: "completed",
    });
    expect(await phones.next("call_ended")).toMatchObject({ outcome: "completed" });
    expect(await callers.next("call_ended")).toMatchObject({ outcome: "completed" });
  });

  test("[HTTP-6] what a device does over HTTP its user socket hears: a window that rings stops", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    await post(people.bob, callId, "decline", { deviceId: people.phone.deviceId });
    expect(await people.phone.next("call_declined")).toMatchObject({ callId });
    expect(await people.tablet.next("call_cancelled")).toMatchObject({ byDevice: people.phone.deviceId });
  });

  test("[HTTP-6] declined by no particular device, no device is named: not to the others, nor in the history", async () => {
    const people = await scene(edge);
    const { bob, phone, tablet } = people;
    const callId = await ring(people);
    expect(await stateOf(await post(bob, callId, "decline"))).toMatchObject({ outcome: "declined" });
    for (const device of [phone, tablet]) {
      const cancelled = await device.next("call_cancelled");
      expect(cancelled).toMatchObject({ reason: "declined_elsewhere" });
      expect(cancelled).not.toHaveProperty("byDevice");
    }
    const log = await vi.waitUntil(() => eventsOf(bob, callId), PATIENCE);
    expect(log.events).toContainEqual(expect.objectContaining({ kind: "declined", by: { userId: bob.userId } }));
    expect(log.events).toContainEqual(expect.objectContaining({ kind: "ended", by: { userId: bob.userId } }));
    expect(log.devices.map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled"]);
    const history = HistoryResponse.parse(await (await edge.as(bob, "/api/calls")).json());
    const own = history.calls[0]?.participants.find(({ userId }) => userId === bob.userId);
    expect(own).toMatchObject({ state: "declined", deviceId: null });
  });

  test("[HTTP-6] what is not theirs is not found, and what makes no sense is refused", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    const eve = await edge.person("Eve");
    expect((await post(people.bob, callId, "alerting")).status).toBe(400);
    for (const what of ["decline", "end"]) {
      expect([what, (await post(eve, callId, what)).status]).toEqual([what, 404]);
      expect([what, (await post(people.bob, randomUUID(), what)).status]).toEqual([what, 404]);
      expect([what, (await post(people.bob, "no-id", what)).status]).toEqual([what, 400]);
    }
    expect((await post(eve, callId, "answer", { deviceId: randomUUID() })).status).toBe(404);
    expect((await post(people.bob, callId, "answer")).status).toBe(400);
    expect((await post(people.bob, callId, "decline", { reason: "tired" })).status).toBe(400);
    expect((await post(people.bob, callId, "decline", { reason: "busy" })).status).toBe(400);
    expect((await post(people.ada, callId, "decline")).status).toBe(403);
    expect((await edge.as(eve, `/api/calls/${callId}`)).status).toBe(404);
  });
});
