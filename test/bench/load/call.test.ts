import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ServerMessageOf } from "../../../schema/server-messages.ts";
import { ScriptedEdge } from "../../support/scripted-edge.ts";
import { CallFault, makeCall } from "./call.ts";
import { SDP } from "./descriptions.ts";
import { Line } from "./line.ts";
import { type Device, type Pair, Server } from "./people.ts";

/** The bench must see what an edge does wrong: here is one that does. */
let edge: ScriptedEdge;
beforeEach(async () => {
  edge = await ScriptedEdge.start();
});
afterEach(() => edge.stop());

const callId = randomUUID();
const ADA = randomUUID();
const BOB = randomUUID();

test("two devices that both hear that they won are a fault", async () => {
  const { outcome, pair, callerLine, answerers } = await answering({ isRace: true });
  const connected = callConnected(pair.callees[0]);
  for (const line of [callerLine, ...answerers]) line.send(connected);
  expect(await outcome).toEqual(new CallFault("2 winners"));
});

test("a device that nobody stops is a fault", async () => {
  const { outcome, pair, phones, callerLine, answerers } = await answering({ isRace: false });
  for (const line of [callerLine, ...answerers]) line.send(callConnected(pair.callees[0]));
  phones[1]?.send(callCancelled(pair.callees[0]));
  expect(await outcome).toEqual(new CallFault("it stood still, waiting for call_cancelled"));
});

test("a device that is told of another winner is a fault", async () => {
  const { outcome, pair, phones, callerLine, answerers } = await answering({ isRace: false });
  for (const line of [callerLine, ...answerers]) line.send(callConnected(pair.callees[0]));
  phones[1]?.send(callCancelled(pair.callees[0]));
  phones[2]?.send(callCancelled(pair.callees[1]));
  expect(await outcome).toEqual(new CallFault("a device was told of another winner"));
});

/** A call as far as its answer: what the edge says to that is the test's. */
async function answering({ isRace }: { isRace: boolean }) {
  const { device: caller, connection: callerSocket } = await connect(ADA);
  const called = [await connect(BOB), await connect(BOB), await connect(BOB)];
  const phones = called.map(({ connection }) => connection);
  const pair: Pair = { caller, callees: called.map(({ device }) => device) };
  const plan = { scheduledAt: performance.now(), isRace, talkMs: 0, patienceMs: 300 };
  const outcome = makeCall(new Server(edge.url), pair, plan).catch((error: unknown) => error);
  await callerSocket.next("call_initiate");
  callerSocket.send({ type: "call_initiated", callId, rev: 1, deduplicated: false, state: "reaching" });
  for (const phone of phones) phone.send(incomingCall(caller));
  const path = `/calls/${callId}/ws`;
  const callerLine = await edge.registered(path, ADA);
  callerLine.send({ type: "call_ringing", callId, rev: 2, userId: BOB, devices: 1 });
  const answerers = [await edge.registered(path, BOB)];
  if (isRace) answerers.push(await edge.registered(path, BOB));
  await Promise.all(answerers.map((line) => line.next("call_answer")));
  return { outcome, pair, phones, callerLine, answerers };
}

async function connect(userId: string) {
  const line = await Line.open(`${edge.url.replace("http", "ws")}/ws`, "token");
  const device: Device = { userId, deviceId: randomUUID(), token: "token", line };
  return { device, connection: await edge.connection("/ws") };
}

function incomingCall(caller: Device): ServerMessageOf<"incoming_call"> {
  const from = { userId: caller.userId, name: "Ada", deviceId: caller.deviceId };
  return { type: "incoming_call", callId, rev: 1, caller: from, callType: "video", sdp: SDP, remainingMs: 30_000 };
}

function callConnected(winner: Device | undefined): ServerMessageOf<"call_connected"> {
  const answeredBy = { userId: BOB, deviceId: winner?.deviceId ?? "" };
  return { type: "call_connected", callId, rev: 3, answeredBy, sdp: SDP };
}

function callCancelled(winner: Device | undefined): ServerMessageOf<"call_cancelled"> {
  return { type: "call_cancelled", callId, rev: 3, reason: "answered_elsewhere", byDevice: winner?.deviceId ?? "" };
}
