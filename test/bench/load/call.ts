import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { CANDIDATES, FIRST_CANDIDATES, LATER_CANDIDATES, SDP } from "./descriptions.ts";
import { Line } from "./line.ts";
import type { Device, Pair, Server } from "./people.ts";

export interface CallPlan {
  /** When it is to start, on the clock of `performance.now()`. Latencies run from here, whatever came in between. */
  readonly scheduledAt: number;
  /** Two of the callee's devices answer in the same moment. */
  readonly isRace: boolean;
  readonly talkMs: number;
  /** How long, besides the talk, the call may take: one that hangs must not hold up the run. */
  readonly patienceMs: number;
}

export interface CallTimes {
  readonly ringMs: number;
  readonly connectMs: number;
}

/** The call went otherwise than it must. */
export class CallFault extends Error {
  override readonly name = "CallFault";
}

/** Those who take part, and the call sockets that they have opened. */
interface Scene extends Pair {
  readonly server: Server;
  readonly callLines: Map<Device, Line>;
}

/** One whole call, message by message as the SDK sends them. @throws CallFault */
export async function makeCall(server: Server, pair: Pair, plan: CallPlan): Promise<CallTimes> {
  const scene: Scene = { ...pair, server, callLines: new Map() };
  for (const { line } of [pair.caller, ...pair.callees]) line.forget();
  const over = new AbortController();
  try {
    return await Promise.race([play(scene, plan), patience(scene, plan, over.signal)]);
  } finally {
    over.abort();
    for (const line of scene.callLines.values()) line.close();
  }
}

async function play(scene: Scene, plan: CallPlan): Promise<CallTimes> {
  const ringing = await ring(scene, plan.scheduledAt);
  const answered = await answer(scene, ringing, plan.isRace);
  await connectMedia(ringing, answered);
  if (plan.talkMs > 0) await delay(plan.talkMs);
  await hangUp(ringing, answered);
  mustBeOneWinner(scene);
  return { ringMs: ringing.ringMs, connectMs: answered.connectMs };
}

/** Rejects when the call stands still; resolves never. */
function patience(
  { caller, callees, callLines }: Scene,
  { talkMs, patienceMs }: CallPlan,
  over: AbortSignal,
): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const lines = [...[caller, ...callees].map(({ line }) => line), ...callLines.values()];
    const missing = lines.flatMap((line) => line.missing());
    reject(new CallFault(`it stood still, waiting for ${missing.join(", ")}`));
  }, patienceMs + talkMs);
  over.addEventListener("abort", () => clearTimeout(timer));
  return promise;
}

async function openCallLine(scene: Scene, device: Device, callId: string): Promise<Line> {
  const line = await scene.server.callLine(device, callId);
  scene.callLines.set(device, line);
  return line;
}

interface Ringing {
  readonly callId: string;
  readonly callerLine: Line;
  readonly ringMs: number;
}

async function ring(scene: Scene, from: number): Promise<Ringing> {
  const { caller, callees } = scene;
  const [callee] = callees;
  if (!callee) throw new Error("nobody to call");
  const calleeIds = [callee.userId];
  caller.line.send({
    type: "call_initiate",
    id: randomUUID(),
    idempotencyKey: randomUUID(),
    calleeIds,
    callType: "video",
    sdp: SDP,
  });
  const rung = Promise.all(callees.map(alert));
  const { callId } = await caller.line.next("call_initiated");
  const [callerLine, alerts] = await Promise.all([attachCaller(scene, callId), rung]);
  const { devices } = await Line.first([caller.line, callerLine], "call_ringing");
  must(devices > 0, "the caller was not told that a device alerts");
  for (const alerted of alerts) must(alerted.callId === callId, "a device rang for another call");
  return { callId, callerLine, ringMs: Math.max(...alerts.map(({ at }) => at)) - from };
}

async function alert({ line }: Device): Promise<{ callId: string; at: number }> {
  const { callId, sdp } = await line.next("incoming_call");
  must(sdp === SDP, "the offer was changed on its way");
  line.send({ type: "call_alerting", callId });
  return { callId, at: performance.now() };
}

/** Nobody waits for a caller's candidates yet, so they go over the call's own socket, as the SDK's do. */
async function attachCaller(scene: Scene, callId: string): Promise<Line> {
  const line = await openCallLine(scene, scene.caller, callId);
  line.send({ type: "ice_candidate", callId, candidates: FIRST_CANDIDATES });
  line.send({ type: "ice_candidate", callId, candidates: LATER_CANDIDATES, endOfCandidates: true });
  return line;
}

interface Answered {
  readonly winnerLine: Line;
  readonly connectMs: number;
}

/** How one of the answering devices fared. */
interface Attempt {
  readonly device: Device;
  readonly line: Line;
  readonly at: number;
  readonly hasWon: boolean;
  /** Who was first, by what this device was told. */
  readonly winnerId: string;
}

async function answer(scene: Scene, { callId, callerLine }: Ringing, isRace: boolean): Promise<Answered> {
  const devices = scene.callees.slice(0, isRace ? 2 : 1);
  const answering = await Promise.all(
    devices.map(async (device) => ({ device, line: await openCallLine(scene, device, callId) })),
  );
  const from = performance.now();
  const attempts = Promise.all(answering.map(({ device, line }) => attempt(device, line, callId)));
  const heard = await callerLine.next("call_connected");
  const callerAt = performance.now();
  must(heard.sdp === SDP, "the answer was changed on its way");
  const winners = (await attempts).filter(({ hasWon }) => hasWon);
  const [won] = winners;
  if (!won || winners.length > 1) throw new CallFault(`${winners.length} winners`);
  for (const winnerId of [heard.answeredBy.deviceId, ...(await attempts).map((tried) => tried.winnerId)]) {
    must(winnerId === won.device.deviceId, "two devices were named as the winner");
  }
  await othersStop(scene, won.device);
  return { winnerLine: won.line, connectMs: Math.max(callerAt, won.at) - from };
}

async function attempt(device: Device, line: Line, callId: string): Promise<Attempt> {
  line.send({ type: "ice_candidate", callId, candidates: FIRST_CANDIDATES });
  line.send({ type: "call_answer", id: randomUUID(), callId, sdp: SDP });
  const { type, answeredBy } = await line.nextOf("call_connected", "already_answered");
  const hasWon = type === "call_connected";
  return { device, line, at: performance.now(), hasWon, winnerId: answeredBy.deviceId };
}

/** Each device that rang and did not win is told to stop, also one that has tried. */
async function othersStop({ callees, callLines }: Scene, winner: Device): Promise<void> {
  const losers = callees.filter((device) => device !== winner);
  const stops = await Promise.all(
    losers.map((device) => (callLines.get(device) ?? device.line).next("call_cancelled")),
  );
  for (const { reason, byDevice } of stops) {
    must(reason === "answered_elsewhere", `a device stopped because of ${reason}`);
    must(byDevice === winner.deviceId, "a device was told of another winner");
  }
}

const REPORT = {
  candidateType: "host",
  remoteCandidateType: "host",
  protocol: "udp",
  rttMs: 20,
  setup: { alertingMs: 100, answeredMs: 2_000, iceConnectedMs: 2_300, firstFrameMs: 2_400 },
} as const;

async function connectMedia({ callId, callerLine }: Ringing, { winnerLine }: Answered): Promise<void> {
  winnerLine.send({ type: "ice_candidate", callId, candidates: LATER_CANDIDATES, endOfCandidates: true });
  const both = [callerLine, winnerLine];
  await Promise.all(both.map(candidatesOfPeer));
  for (const line of both) line.send({ type: "call_media", callId, state: "connected", candidateType: "host" });
  const states = await Promise.all(both.map((line) => line.next("call_state")));
  for (const { state } of states) must(state === "connected", `the call was ${state} when media flowed`);
  // As the SDK does at the first frame.
  for (const line of both) line.send({ type: "call_media", callId, state: "connected", ...REPORT });
}

async function candidatesOfPeer(line: Line): Promise<void> {
  const heard: string[] = [];
  for (let isOver = false; !isOver; ) {
    const { candidates, endOfCandidates = false } = await line.next("ice_candidate");
    heard.push(...candidates.map(({ candidate }) => candidate));
    isOver = endOfCandidates;
  }
  must(heard.length === CANDIDATES && new Set(heard).size === CANDIDATES, `${heard.length} candidates came`);
}

async function hangUp({ callId, callerLine }: Ringing, { winnerLine }: Answered): Promise<void> {
  callerLine.send({ type: "call_end", id: randomUUID(), callId });
  const ends = await Promise.all([callerLine, winnerLine].map((line) => line.next("call_ended")));
  for (const { outcome } of ends) must(outcome === "completed", `the call ended as ${outcome}`);
}

/** The winner's own `call_connected` was taken; any other is a second winner. */
function mustBeOneWinner({ callees, callLines }: Scene): void {
  const lines = [...callees.map(({ line }) => line), ...callLines.values()];
  must(!lines.some((line) => line.has("call_connected")), "two winners");
  must(!lines.some((line) => line.strange > 0), "a frame came that the schema does not know");
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new CallFault(otherwise);
}
