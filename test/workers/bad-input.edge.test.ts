import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClientMessageInput } from "../../schema/client-messages.ts";
import type { ErrorCode } from "../../schema/errors.ts";
import { ServerMessage } from "../../schema/server-messages.ts";
import { Device } from "../support/device.ts";
import { Edge } from "../support/edge.ts";
import { LEAK } from "../support/refused.ts";
import { connect, initiate, type Scene, scene } from "../support/scene.ts";
import { badFrames, NASTY } from "./bad-input/frames.ts";
import { type BadRequest, badRequests } from "./bad-input/requests.ts";
import { CANARY } from "./bad-input/values.ts";

/** Whatever is wrong is said at once: this is what a busy machine may add. */
const LIMIT_MS = 10_000;
const SCENES = 4;
/** Requests under way at once. */
const LANES = 8;

/** A call that goes on while it is disturbed, and every socket from which it is. */
interface Stage extends Scene {
  readonly callId: string;
  readonly callerOnCall: Device;
  readonly phoneOnCall: Device;
}

interface Offered {
  readonly frame: string | Buffer;
  readonly type?: "error" | "call_not_found";
  readonly code?: ErrorCode;
  readonly re?: string | undefined;
}

let edge: Edge;
let stages: Stage[];
const offered = { frames: 0, requests: 0 };

beforeAll(async () => {
  edge = await Edge.start();
  stages = await Promise.all(Array.from({ length: SCENES }, setStage));
});
afterAll(() => edge.close());

async function setStage(): Promise<Stage> {
  const people = await scene(edge);
  const callId = await connect(people);
  const callerOnCall = await edge.callSocket(people.ada, people.caller, callId);
  const phoneOnCall = await edge.callSocket(people.bob, people.phone, callId);
  callerOnCall.send({ type: "call_media", callId, state: "connected" });
  for (const socket of [callerOnCall, phoneOnCall]) await socket.next("call_state");
  return { ...people, callId, callerOnCall, phoneOnCall };
}

const userSockets = ({ caller, phone, tablet, laptop }: Stage) => [caller, phone, tablet, laptop];
const callSockets = ({ callerOnCall, phoneOnCall }: Stage) => [callerOnCall, phoneOnCall];
const sockets = (stage: Stage) => [...userSockets(stage), ...callSockets(stage)];

/** Sends one frame and says what is wrong with the answer; null if nothing is. */
async function offer(socket: Device, bad: Offered): Promise<string | null> {
  const before = socket.frames.length;
  const sentAt = performance.now();
  socket.sendRaw(bad.frame);
  offered.frames++;
  await socket.until(() => socket.frames[before], `an answer to ${shown(bad)}`);
  const took = performance.now() - sentAt;
  const answers = socket.frames.slice(before);
  const complaint = complaintAbout(answers, bad, took);
  return complaint && `${complaint}: ${answers.join(" and ")} to ${shown(bad)}`;
}

function complaintAbout(answers: readonly string[], bad: Offered, took: number): string | null {
  const text = answers.join();
  if (answers.length !== 1) return "more than one answer";
  if (took > LIMIT_MS) return `late by ${Math.round(took - LIMIT_MS)} ms`;
  if (text.includes(CANARY)) return "an echo";
  const answer = ServerMessage.safeParse(JSON.parse(text));
  if (!answer.success) return "no message of the protocol";
  const { type = "error", code, re } = bad;
  if (answer.data.type !== type) return `no ${type}`;
  if (!("re" in answer.data ? answer.data.re === re : re === undefined)) return "addressed to another command";
  if (answer.data.type !== "error") return null;
  if (answer.data.code !== code) return `not ${code}`;
  return LEAK.test(answer.data.message) || answer.data.message === "" ? "a bad explanation" : null;
}

function shown({ frame, code }: Offered): string {
  return `${String(frame).slice(0, 200)} (${frame.length} long, ${code})`;
}

/** One frame after the other on each socket, so that each answer is known to be to its frame. */
async function offerAll(targets: readonly Device[], frames: readonly Offered[]): Promise<string[]> {
  const perSocket = targets.map(async (socket, i) => {
    const complaints: (string | null)[] = [];
    for (const bad of frames.filter((_, n) => n % targets.length === i)) complaints.push(await offer(socket, bad));
    return complaints;
  });
  return (await Promise.all(perSocket)).flat().flatMap((complaint) => complaint ?? []);
}

function command(message: ClientMessageInput, expected: Omit<Offered, "frame" | "re">): Offered {
  const re = randomUUID();
  return { frame: JSON.stringify({ ...message, id: re }), re, ...expected };
}

/** Every command about a call, as it should be. */
function aboutCall(callId: string): ClientMessageInput[] {
  return [
    { type: "call_answer", callId, sdp: "v=0" },
    { type: "call_decline", callId },
    { type: "call_alerting", callId },
    { type: "ice_candidate", callId, candidates: [{ candidate: "" }] },
    { type: "call_negotiate", callId, sdp: "v=0", sdpType: "offer" },
    { type: "call_media", callId, state: "failed" },
    { type: "call_sync", callId },
    { type: "call_end", callId },
  ];
}

/** What a stranger hears, and whoever asks about a call that never was. */
function notFound(callId: string): Offered[] {
  return aboutCall(callId).map((message) =>
    command(message, message.type === "call_answer" ? { type: "call_not_found" } : { code: "call_not_found" }),
  );
}

describe("bad frames", () => {
  test("[WIRE-3] [WIRE-4] [WIRE-5] what is no message gets its error, whichever socket it comes on", async () => {
    expect(await offerAll(stages.flatMap(sockets), badFrames())).toEqual([]);
  });

  test("[CALL-10] calls that are not one's own are as unknown as those that never were", async () => {
    const complaints = await Promise.all(
      stages.map((stage, i) => {
        const others = stages.flatMap(({ callId }, n) => (n === i ? [] : notFound(callId)));
        const unknown = Array.from({ length: 5 }, () => notFound(randomUUID())).flat();
        return offerAll(sockets(stage), [...others, ...unknown]);
      }),
    );
    expect(complaints.flat()).toEqual([]);
  });

  test("[CALL-20] devices that are not in the call touch nothing of it", async () => {
    const complaints = stages.map(({ callId, tablet, laptop }) => {
      const refused = aboutCall(callId)
        .filter(({ type }) => ["call_end", "call_media", "call_negotiate", "ice_candidate"].includes(type))
        .map((message) => command(message, { code: "not_in_call" }));
      return offerAll([tablet, laptop], [...refused, ...refused]);
    });
    expect((await Promise.all(complaints)).flat()).toEqual([]);
  });

  test("a caller neither answers, declines nor alerts", async () => {
    const complaints = stages.map(({ callId, callerOnCall }) => {
      const refused = aboutCall(callId).filter(({ type }) =>
        ["call_answer", "call_decline", "call_alerting"].includes(type),
      );
      return offerAll(
        [callerOnCall],
        refused.map((message) => command(message, { code: "forbidden" })),
      );
    });
    expect((await Promise.all(complaints)).flat()).toEqual([]);
  });

  test("[CONN-4] what is no matter of one call is not taken on a call socket", async () => {
    const messages: ClientMessageInput[] = [
      { type: "call_initiate", idempotencyKey: "k", calleeIds: [randomUUID()], callType: "video" },
      { type: "presence_watch", userIds: [] },
    ];
    const frames = messages.map((message) => command(message, { code: "unsupported" }));
    expect(
      await offerAll(
        stages.flatMap(callSockets),
        Array(stages.length * 2)
          .fill(frames)
          .flat(),
      ),
    ).toEqual([]);
  });

  test("[CALL-1] [CALL-2] [CALL-3] calls that make no sense are not made", async () => {
    const complaints = stages.map(async ({ caller, ada, bob }) => {
      const call = {
        type: "call_initiate" as const,
        idempotencyKey: "__proto__",
        calleeIds: [bob.userId],
        callType: "video" as const,
      };
      return offerAll(
        [caller],
        [
          command({ ...call, calleeIds: [ada.userId] }, { code: "bad_message" }),
          command({ ...call, calleeIds: [bob.userId, randomUUID()] }, { code: "bad_message" }),
          command({ ...call, calleeIds: [randomUUID()] }, { code: "callee_unknown" }),
          command({ ...call, calleeIds: [randomUUID()] }, { code: "callee_unknown" }),
          command({ ...call, idempotencyKey: "constructor", calleeIds: [randomUUID()] }, { code: "callee_unknown" }),
        ],
      );
    });
    expect((await Promise.all(complaints)).flat()).toEqual([]);
  });

  test("[CONN-2] before register everything is refused, and register is taken all the same", async () => {
    const [stage] = stages;
    if (!stage) throw new Error("there is a stage");
    const { ada, callId } = stage;
    for (const path of ["/ws", `/calls/${callId}/ws`]) {
      const socket = await Device.open(`${edge.ws}${path}`, ada.token, ada.userId, randomUUID());
      const early = aboutCall(callId).map((message) => command(message, { code: "forbidden" }));
      expect(await offerAll([socket], [...NASTY, ...early])).toEqual([]);
      expect(await socket.register()).toMatchObject({ userId: ada.userId });
      await socket.close();
    }
  });
});

describe("bad requests", () => {
  async function offerRequest({ path, init, status, code }: BadRequest): Promise<string | null> {
    const sentAt = performance.now();
    const answer = await edge.fetch(path, init);
    const body = await answer.text();
    offered.requests++;
    const took = performance.now() - sentAt;
    const about = `${answer.status} ${body} to ${init.method ?? "GET"} ${path} ${String(init.body).slice(0, 200)}`;
    if (took > LIMIT_MS) return `late: ${about}`;
    if (answer.status !== status) return `not ${status}: ${about}`;
    if (!body.startsWith(`{"error":{"code":"${code}","message":"`)) return `not ${code}: ${about}`;
    return LEAK.test(body) || body.includes(CANARY) ? `a leak: ${about}` : null;
  }

  test("[HTTP-1] [HTTP-2] each is refused with its code and its status", async () => {
    const person = await edge.person("Ada");
    const requests = badRequests(person.token);
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      const complaints: (string | null)[] = [];
      for (const request of requests.filter((__, n) => n % LANES === lane))
        complaints.push(await offerRequest(request));
      return complaints;
    });
    expect((await Promise.all(lanes)).flat().filter((complaint) => complaint !== null)).toEqual([]);
  });
});

describe("afterwards", () => {
  test("there were at least 2,000, and nobody was answered more than once or hung up on", async () => {
    expect(offered.frames + offered.requests).toBeGreaterThanOrEqual(2_000);
    for (const socket of stages.flatMap(sockets)) {
      const before = socket.frames.length;
      await socket.settle();
      expect(socket.frames.slice(before)).toEqual(["pong"]);
      expect(socket.closed).toBeNull();
    }
  });

  test("the calls still talk, end, and others are made on the same sockets", async () => {
    for (const stage of stages) {
      const { callId, callerOnCall, phoneOnCall, caller, phone, tablet, bob } = stage;
      callerOnCall.send({ type: "call_negotiate", callId, sdp: "again", sdpType: "offer" });
      expect(await phoneOnCall.next("call_negotiate")).toMatchObject({ callId, sdp: "again" });
      expect(await phoneOnCall.ask({ type: "call_sync", callId })).toMatchObject({ state: "connected" });
      expect(await callerOnCall.ask({ type: "call_end", callId })).toMatchObject({ outcome: "completed" });
      expect(await phoneOnCall.next("call_ended")).toMatchObject({ callId, outcome: "completed" });
      const next = await initiate(caller, bob.userId, "__proto__");
      expect(next).toMatchObject({ deduplicated: false });
      expect(await initiate(caller, bob.userId, "__proto__")).toMatchObject({
        callId: next.callId,
        deduplicated: true,
      });
      for (const device of [phone, tablet]) await device.next("incoming_call", (m) => m.callId === next.callId);
      expect(await tablet.ask({ type: "call_answer", callId: next.callId, sdp: "v=0" })).toMatchObject({
        type: "call_connected",
      });
      await caller.next("call_connected", (m) => m.callId === next.callId);
      expect(await tablet.ask({ type: "call_end", callId: next.callId })).toMatchObject({ outcome: "completed" });
    }
  });
});
