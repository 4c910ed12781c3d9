import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CallEventsResponse, HistoryResponse } from "../../schema/http.ts";
import { outcomeOf } from "../../workers/ledger/outcome.ts";
import { Edge, type Person } from "../support/edge.ts";
import { expectRefusal } from "../support/refused.ts";
import { connect, initiate, ring, scene } from "../support/scene.ts";

/** The history and the log of calls that were really made, over HTTP. */

/** The ledger's batch waits for a second. */
let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

async function calls(person: Person, query = ""): Promise<HistoryResponse["calls"]> {
  return HistoryResponse.strict().parse(await (await edge.as(person, `/api/calls${query}`)).json()).calls;
}

async function events(person: Person, callId: string): Promise<CallEventsResponse> {
  return CallEventsResponse.strict().parse(await (await edge.as(person, `/api/calls/${callId}/events`)).json());
}

function remove(person: Person, callId: string): Promise<Response> {
  return edge.as(person, `/api/calls/${callId}`, { method: "DELETE" });
}

/** Until the history has heard that the person's last call is over. */
function written(person: Person, callId: string) {
  return expect
    .poll(async () => (await calls(person)).map(({ id, outcome }) => [id, outcome !== null])[0])
    .toEqual([callId, true]);
}

describe("GET /api/calls", () => {
  test("[HIST-2] [HIST-3] lists by outcome and direction what the calls were to who asks", async () => {
    const people = await scene(edge);
    const { ada, bob, caller, phone } = people;
    const talked = await connect(people);
    await caller.ask({ type: "call_end", callId: talked });
    const declined = await ring(people);
    await phone.ask({ type: "call_decline", callId: declined });
    const back = await initiate(phone, ada.userId);
    await caller.next("incoming_call", ({ callId }) => callId === back.callId);
    await phone.ask({ type: "call_end", callId: back.callId });
    await written(bob, back.callId);

    const listed = async (person: Person, query: string) => (await calls(person, query)).map(({ id }) => id);
    expect(await listed(ada, "?direction=outgoing")).toEqual([declined, talked]);
    expect(await listed(ada, "?direction=incoming")).toEqual([back.callId]);
    expect(await listed(bob, "?direction=outgoing")).toEqual([back.callId]);
    expect(await listed(bob, "?outcome=declined&direction=incoming")).toEqual([declined]);
    expect(await listed(bob, "?outcome=declined&direction=outgoing")).toEqual([]);
    expect(await listed(ada, "?outcome=cancelled")).toEqual([back.callId]);
    expect(await listed(ada, "?outcome=completed&limit=1")).toEqual([talked]);
  });

  test.each(["outcome=lost", "outcome=", "direction=up"])("refuses the filter %s", async (query) => {
    await expectRefusal(await edge.as(await edge.person("Ada"), `/api/calls?${query}`), 400, "bad_message");
  });
});

describe("DELETE /api/calls/:id", () => {
  test("[HIST-5] takes the call out of the asker's history, as often as it is asked, and out of nobody else's", async () => {
    const people = await scene(edge);
    const { ada, bob, caller } = people;
    const callId = await connect(people);
    await caller.ask({ type: "call_end", callId });
    await written(ada, callId);
    for (const id of [callId, callId.toUpperCase()]) {
      const answer = await remove(ada, id);
      expect([answer.status, await answer.text()]).toEqual([204, ""]);
    }
    expect(await calls(ada)).toEqual([]);
    expect(await calls(ada, "?outcome=completed")).toEqual([]);
    expect((await calls(bob)).map(({ id }) => id)).toEqual([callId]);
  });

  test("[HIST-5] a call that was deleted while it rang is not there when it is over either", async () => {
    const people = await scene(edge);
    const { ada, bob, caller } = people;
    const callId = await ring(people);
    await expect.poll(async () => (await calls(ada)).length).toBe(1);
    expect((await remove(ada, callId)).status).toBe(204);
    await caller.ask({ type: "call_end", callId });
    await written(bob, callId);
    expect(await calls(ada)).toEqual([]);
  });

  test("[HIST-5] of somebody else's call says what it says of one that does not exist", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    await people.caller.ask({ type: "call_end", callId });
    await written(people.ada, callId);
    const eve = await edge.person("Eve");
    const refusals = await Promise.all([callId, randomUUID()].map((id) => remove(eve, id)));
    const bodies = await Promise.all(refusals.map((refusal) => refusal.clone().text()));
    expect(bodies[0]).toBe(bodies[1]);
    for (const refusal of refusals) await expectRefusal(refusal, 404, "call_not_found");
    expect((await calls(people.ada)).map(({ id }) => id)).toEqual([callId]);
    await expectRefusal(await remove(eve, "mine"), 400, "bad_message");
  });
});

describe("GET /api/calls/:id/events", () => {
  test("[LOG-1] [LOG-2] [LOG-5] tells both what happened, and so what the call came to", async () => {
    const people = await scene(edge);
    const { ada, bob, caller, phone } = people;
    const callId = await ring(people);
    phone.send({ type: "call_alerting", callId });
    await caller.next("call_ringing");
    phone.send({ type: "call_answer", callId, sdp: "answer" });
    await caller.next("call_connected");
    phone.send({ type: "call_media", callId, state: "connected" });
    await caller.next("call_state", ({ state }) => state === "connected");
    await phone.ask({ type: "call_end", callId });
    await written(ada, callId);
    for (const person of [ada, bob]) {
      const { events: log } = await events(person, callId);
      expect(log.map(({ rev, kind }) => [rev, kind])).toEqual([
        [1, "initiated"],
        [2, "alerting"],
        [3, "answered"],
        [4, "media"],
        [5, "ended"],
      ]);
      const [entry] = await calls(person);
      const { answeredBy, ...result } = outcomeOf(log);
      expect(entry).toMatchObject(result);
      expect(answeredBy?.userId).toBe(bob.userId);
    }
  });

  test("[LOG-3] [LOG-4] names each one's own devices, and how they were rung, to nobody else", async () => {
    const people = await scene(edge);
    const { ada, bob, caller, phone, tablet, laptop } = people;
    const callId = await ring(people);
    await tablet.ask({ type: "call_decline", callId, reason: "ignored" });
    await phone.ask({ type: "call_decline", callId });
    await written(ada, callId);
    const [adas, bobs] = [await events(ada, callId), await events(bob, callId)];
    const { deviceId } = caller;
    const own = (device: { deviceId: string }) => ({ userId: bob.userId, deviceId: device.deviceId });
    expect(adas).toMatchObject({
      events: [
        { kind: "initiated", by: { userId: ada.userId, deviceId } },
        { kind: "private" },
        { kind: "declined", by: { userId: bob.userId } },
        { kind: "ended", outcome: "declined" },
      ],
      devices: [],
      pushes: [],
    });
    expect(bobs.events).toMatchObject([
      {},
      { kind: "ignored", by: own(tablet) },
      { by: own(phone) },
      { by: own(phone) },
    ]);
    const rung = [
      { ...own(phone), state: "declined" },
      { ...own(tablet), state: "ignored" },
      { ...own(laptop), state: "cancelled" },
    ].map(({ userId, ...leg }) => leg);
    expect(new Set(bobs.devices)).toEqual(new Set(rung));
    const text = JSON.stringify(adas);
    for (const device of [phone, tablet, laptop]) expect(text).not.toContain(device.deviceId);
    expect(JSON.stringify(bobs)).not.toContain(deviceId);
  });

  test("[LOG-1] is told to nobody else", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    await people.caller.ask({ type: "call_end", callId });
    await written(people.ada, callId);
    const eve = await edge.person("Eve");
    for (const id of [callId, randomUUID()]) {
      await expectRefusal(await edge.as(eve, `/api/calls/${id}/events`), 404, "call_not_found");
    }
    await expectRefusal(await edge.as(eve, "/api/calls/mine/events"), 400, "bad_message");
    await expectRefusal(await edge.fetch(`/api/calls/${callId}/events`), 401, "unauthorized");
    await expectRefusal(await edge.fetch(`/api/calls/${callId}`, { method: "DELETE" }), 401, "unauthorized");
  });

  test("[HTTP-2] cannot be had while the database is down", async () => {
    const ada = await edge.person("Ada");
    await edge.postgres.endpoint?.stop();
    await expectRefusal(await edge.as(ada, `/api/calls/${randomUUID()}/events`), 503, "internal");
    await expectRefusal(await remove(ada, randomUUID()), 503, "internal");
    await edge.postgres.endpoint?.start();
    await expectRefusal(await remove(ada, randomUUID()), 404, "call_not_found");
  });
});
