import type { Call } from "../../client/index.ts";
import type { CallSnapshot } from "../../schema/call.ts";
import { connectClient, type ScriptedClient } from "../support/scripted-client.ts";
import { type ScriptedConnection, ScriptedEdge } from "../support/scripted-edge.ts";

export const callId = "0192a000-0000-7000-8000-000000000002";
export const otherId = "0192a000-0000-7000-8000-000000000001";
export const thirdId = "0192a000-0000-7000-8000-000000000003";
export const bob = { userId: "b0000000-0000-4000-8000-000000000001", name: "Bob" };
export const bobsPhone = { userId: bob.userId, deviceId: "b0000000-0000-4000-8000-0000000000d1" };
export const bobsTablet = { userId: bob.userId, deviceId: "b0000000-0000-4000-8000-0000000000d2" };
export const eve = { userId: "e0000000-0000-4000-8000-000000000001", name: "Eve" };
export const evesPhone = { userId: eve.userId, deviceId: "e0000000-0000-4000-8000-0000000000d1" };
export const ownTablet = "a0000000-0000-4000-8000-0000000000d2";

/** Resolves once the call has come so far. */
export async function reaches(call: Call, kind: Call["phase"]["kind"]): Promise<void> {
  await until(call, () => call.phase.kind === kind);
}

/** Resolves once it is so; a call tells of every change. */
export async function until(call: Call, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      const stop = call.changed.subscribe(() => {
        stop();
        resolve();
      });
    });
  }
}

/** Alice's client against a scripted edge, with what several tests script. */
export class Scene {
  readonly edge: ScriptedEdge;
  readonly client: ScriptedClient;

  constructor(edge: ScriptedEdge, client: ScriptedClient) {
    this.edge = edge;
    this.client = client;
  }

  static async start(): Promise<Scene> {
    const edge = await ScriptedEdge.start();
    return new Scene(edge, await connectClient(edge));
  }

  async stop(): Promise<void> {
    this.client.switchboard.close();
    await this.edge.stop();
  }

  get self() {
    return { userId: this.client.userId, deviceId: this.client.deviceId };
  }

  /** The latest media connection, or the one before it. */
  peer(fromLast = 1) {
    const peer = this.client.peers.at(-fromLast);
    if (!peer) throw new Error("no media connection was opened");
    return peer;
  }

  snapshot(change: Partial<CallSnapshot> = {}): CallSnapshot {
    const caller = { ...this.self, name: "Alice" };
    return {
      callId,
      rev: 2,
      callType: "video",
      state: "connected",
      caller,
      participants: [
        { ...caller, state: "joined" },
        { ...bob, state: "joined", deviceId: bobsPhone.deviceId },
      ],
      createdAt: "2026-01-01T00:00:00.000Z",
      connectedAt: "2026-01-01T00:00:10.000Z",
      ...change,
    };
  }

  /** Bob is called, and the server has taken the call. */
  async initiate(video = true): Promise<Call> {
    const { socket, switchboard } = this.client;
    const call = switchboard.call(bob, { video });
    const { id } = await socket.next("call_initiate");
    const re = id === undefined ? {} : { re: id };
    socket.send({ type: "call_initiated", ...re, callId, rev: 1, deduplicated: false, state: "reaching" });
    await reaches(call, "reaching");
    return call;
  }

  /** Alice talks with Bob, on the call's own socket. */
  async talk(): Promise<[Call, ScriptedConnection]> {
    const call = await this.initiate();
    const socket = await this.edge.registered(`/calls/${callId}/ws`, this.client.userId);
    socket.send({ type: "call_connected", callId, rev: 2, answeredBy: bobsPhone, sdp: "bob's answer" });
    await reaches(call, "connecting");
    this.peer().options.events.path("connected");
    await socket.next("call_media");
    return [call, socket];
  }

  /** Eve calls. */
  async rung(type: "incoming_call" | "call_waiting", id = otherId): Promise<Call> {
    const incoming = new Promise<Call>((resolve) => this.client.switchboard.incoming.subscribe(resolve));
    const caller = { ...eve, deviceId: evesPhone.deviceId };
    const offer = { callType: "video" as const, sdp: "eve's offer", remainingMs: 30_000 };
    this.client.socket.send({ type, callId: id, rev: 1, caller, ...offer });
    return incoming;
  }

  /** This device's answer to a call wins. */
  async answered(id: string): Promise<string | undefined> {
    const command = await this.client.socket.next("call_answer");
    const re = command.id === undefined ? {} : { re: command.id };
    this.client.socket.send({ type: "call_connected", ...re, callId: id, rev: 2, answeredBy: this.self });
    return command.sdp;
  }

  /** Replies to the next `call_sync` about a call. */
  async synced(snapshot: CallSnapshot, socket: ScriptedConnection = this.client.socket): Promise<void> {
    const { id, callId: asked } = await socket.next("call_sync");
    if (asked !== snapshot.callId) throw new Error(`asked for ${asked}`);
    socket.send({ type: "call_state", ...(id !== undefined && { re: id }), ...snapshot });
  }
}
