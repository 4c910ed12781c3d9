import type { Call, Participant, Person } from "../../../client/index.ts";
import type { CallSnapshot } from "../../../schema/call.ts";
import type { ReceivedTrack, RoomParticipant, RoomTrack } from "../../../schema/room.ts";
import type { ServerMessageOf } from "../../../schema/server-messages.ts";
import type { FakeRoomPeer } from "../../support/fake-room-peer.ts";
import type { ScriptedConnection } from "../../support/scripted-edge.ts";
import { bob, bobsPhone, callId, eve, evesPhone, reaches, Scene, until } from "../call-scene.ts";

export const joe = { userId: "f0000000-0000-4000-8000-000000000001", name: "Joe" };
export const joesPhone = { userId: joe.userId, deviceId: "f0000000-0000-4000-8000-0000000000d1" };

const BOTH: RoomTrack[] = [
  { source: "camera", muted: false },
  { source: "microphone", muted: false },
];

/** Somebody in a room, by the place that they have there. */
export function inRoom(participantId: string, person: Person, deviceId: string, tracks = BOTH): RoomParticipant {
  return { participantId, userId: person.userId, deviceId, name: person.name ?? "", tracks };
}

/** The m-lines that bring somebody's camera and microphone. */
export function linesOf(participantId: string): ReceivedTrack[] {
  return [
    { mid: `${participantId}-camera`, participantId, source: "camera" },
    { mid: `${participantId}-microphone`, participantId, source: "microphone" },
  ];
}

/** Alice's client in a group call, against a scripted edge and connections without media. */
export class RoomScene extends Scene {
  static override async start(): Promise<RoomScene> {
    const { edge, client } = await Scene.start();
    return new RoomScene(edge, client);
  }

  /** Each connection to a room, in the order of their opening. */
  get roomPeers(): FakeRoomPeer[] {
    return this.client.roomPeers;
  }

  roomPeer(fromLast = 1): FakeRoomPeer {
    const peer = this.roomPeers.at(-fromLast);
    if (!peer) throw new Error("no connection to a room was opened");
    return peer;
  }

  group(change: Partial<CallSnapshot> = {}): CallSnapshot {
    return this.snapshot({ callType: "group", answeredBy: bobsPhone, ...change });
  }

  /** Alice calls Bob and Eve, and Bob has answered. */
  async callGroup(): Promise<[Call, ScriptedConnection]> {
    const call = this.client.switchboard.callGroup([bob, eve], { video: true });
    const { id, ...command } = await this.client.socket.next("call_initiate");
    if (command.sdp !== undefined) throw new Error("a group call begins without an offer");
    const re = id === undefined ? {} : { re: id };
    this.client.socket.send({ type: "call_initiated", ...re, callId, rev: 1, deduplicated: false, state: "reaching" });
    const socket = await this.edge.registered(`/calls/${callId}/ws`, this.client.userId);
    socket.send({ type: "participant_joined", callId, rev: 2, ...bobsPhone, name: "Bob" });
    socket.send({ type: "call_connected", callId, rev: 2, answeredBy: bobsPhone });
    await reaches(call, "connecting");
    return [call, socket];
  }

  /** The next offer to come in is let in. */
  async letIn(
    socket: ScriptedConnection,
    change: Partial<Omit<ServerMessageOf<"room_joined">, "type">> = {},
  ): Promise<Awaited<ReturnType<typeof this.offered>>> {
    const join = await this.offered(socket);
    this.joined(socket, join.id, change);
    return join;
  }

  offered(socket: ScriptedConnection) {
    return socket.next("room_join");
  }

  joined(
    socket: ScriptedConnection,
    re: string | undefined,
    change: Partial<Omit<ServerMessageOf<"room_joined">, "type">> = {},
  ): void {
    socket.send({
      type: "room_joined",
      ...(re !== undefined && { re }),
      callId,
      rev: 2,
      epoch: 1,
      participantId: "p-alice",
      sdp: "the room's answer",
      participants: [inRoom("p-bob", bob, bobsPhone.deviceId)],
      tracks: linesOf("p-bob"),
      ...change,
    });
  }

  /** A group call in which Bob is seen and heard. */
  async talkInGroup(): Promise<[Call, ScriptedConnection]> {
    const [call, socket] = await this.callGroup();
    await this.letIn(socket);
    await this.roomPeer().heard("took the room's answer");
    this.roomPeer().path("up");
    await socket.next("call_media");
    this.roomPeer().flows("p-bob-camera", "video");
    this.roomPeer().flows("p-bob-microphone", "audio");
    await until(call, () => named(call, "Bob")?.streams.microphone !== undefined);
    return [call, socket];
  }
}

export function named(call: Call, name: string): Participant | undefined {
  return call.room?.participants.find((participant) => participant.name === name);
}

export { bob, bobsPhone, callId, eve, evesPhone, reaches, until };
