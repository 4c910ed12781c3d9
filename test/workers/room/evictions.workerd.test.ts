import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { ROOM_REATTACH_MS } from "../../../schema/limits.ts";
import type { ServerMessage } from "../../../schema/server-messages.ts";
import { type NodeRoom, RoomNode } from "../../support/room-node.ts";
import { RoomScene } from "../../support/room-scene.ts";
import type { WorkerdDevice } from "../../support/workerd-device.ts";

const plays: RoomPlay[] = [];

afterEach(async () => {
  for (const play of plays.splice(0)) await play.end();
});

/** Ada, Bob and Cid, whose call's room is played line by line. */
class RoomPlay {
  readonly scene: RoomScene;
  readonly rooms: NodeRoom[] = [];
  readonly nodes: RoomNode[];
  #before: readonly number[] = [];

  private constructor(scene: RoomScene, node: RoomNode) {
    this.scene = scene;
    this.nodes = [node];
  }

  static async begin(): Promise<RoomPlay> {
    const node = await RoomNode.start();
    const play = new RoomPlay(await RoomScene.talking(), node);
    plays.push(play);
    for (const device of play.scene.devices) await device.connect(play.scene.socketPath);
    await play.hasMoved(1);
    play.#before = play.scene.devices.map(({ heard }) => heard.length);
    return play;
  }

  async end(): Promise<void> {
    await this.scene.end();
    for (const node of this.nodes) await node.leaves();
  }

  /** The room that is open. */
  get room(): NodeRoom {
    const room = this.rooms.at(-1);
    if (!room) throw new Error("there is no room");
    return room;
  }

  /** The next room goes to a node that comes now: the one before takes none any more. */
  async newNode(): Promise<RoomNode> {
    this.nodes.at(-1)?.drains();
    const node = await RoomNode.start();
    this.nodes.push(node);
    return node;
  }

  async hasMoved(epoch: number): Promise<void> {
    const node = this.nodes.at(-1);
    if (!node) throw new Error("there is no node");
    const room = await node.room(epoch, this.scene.callId);
    room.isObliging = false;
    await room.untilOpen();
    this.rooms.push(room);
  }

  /** Memory is lost, sockets are not. */
  async hibernates(): Promise<void> {
    await evictDurableObject(env.CALLS.getByName(this.scene.callId), { webSockets: "hibernate" });
  }

  /** As in a deploy: every socket is closed, and clients come back. */
  async restarts(): Promise<void> {
    const { devices, socketPath, callId } = this.scene;
    await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "close" });
    await this.room.untilClosed();
    for (const device of devices) {
      await device.untilClosed();
      await device.connect(socketPath);
    }
  }

  /** What each device was told of the room, with names for ids. */
  stories(): string[][] {
    return this.scene.devices.map(({ heard }, i) =>
      heard.slice(this.#before[i]).flatMap((message) => this.#line(message)),
    );
  }

  #line(message: ServerMessage): string[] {
    switch (message.type) {
      case "room_joined":
        return [`joined ${message.epoch} with ${message.participants.map(({ name }) => name)}`];
      case "room_moved":
      case "renegotiate":
      case "renegotiate_answer":
        return [`${message.type} ${message.epoch}`];
      case "participant_updated": {
        const tracks = (message.tracks ?? []).map(({ source, muted }) => (muted ? `${source} muted` : source));
        return message.tracks ? [`${message.name} sends ${tracks.join(" ") || "nothing"}`] : [];
      }
      case "dominant_speaker_changed":
        return [`${this.scene.devices.findIndex(({ deviceId }) => deviceId === message.deviceId)} speaks`];
      case "recover":
      case "error":
        return [message.type];
      default:
        return [];
    }
  }
}

type Line = (play: RoomPlay) => Promise<unknown>;
type Who = (scene: RoomScene) => WorkerdDevice;

const ada: Who = (scene) => scene.ada;
const bob: Who = (scene) => scene.bob;

/** One asks to be let in; the node lets them in. */
const joins =
  (who: Who): Line =>
  async ({ scene, room }) => {
    who(scene).send({ type: "room_join", callId: scene.callId, sdp: "offer" });
    await room.next("participant_join");
    room.obliges();
    await who(scene).next("room_joined");
  };

const LINES: readonly Line[] = [
  joins(ada),
  joins(bob),
  async ({ scene, room }) => {
    const place = (await scene.ada.next("participant_updated", ({ tracks }) => tracks !== undefined)).participantId;
    room.say({ type: "dominant_speaker", participantId: place ?? "" });
    for (const device of [scene.ada, scene.bob]) await device.next("dominant_speaker_changed");
    room.say({ type: "dominant_speaker", participantId: place ?? "" });
  },
  async ({ scene, room }) => {
    scene.bob.send({ type: "renegotiate", callId: scene.callId, epoch: 1, sdp: "offer" });
    await room.next("participant_offer");
    room.obliges();
    await scene.bob.next("renegotiate_answer");
  },
  async ({ scene, room }) => {
    const [joined] = scene.ada.heard.flatMap((message) => (message.type === "room_joined" ? [message] : []));
    const participantId = joined?.participantId ?? "";
    room.say({ type: "room_offer", participantId, negotiationId: 1, sdp: "offer", tracks: [] });
    await scene.ada.next("renegotiate");
  },
  async ({ scene, room }) => {
    scene.ada.send({ type: "renegotiate_answer", callId: scene.callId, epoch: 1, sdp: "answer" });
    await room.next("participant_answer");
  },
  async ({ scene, room }) => {
    scene.ada.send({ type: "room_update", callId: scene.callId, muted: ["microphone"] });
    await room.next("participant_update");
  },
  // The node wants to stop.
  async (play) => {
    await play.newNode();
    play.room.say({ type: "room_draining", deadlineMs: 60_000 });
    await play.hasMoved(2);
    for (const device of [play.scene.ada, play.scene.bob]) await device.next("room_moved");
  },
  joins(ada),
  joins(bob),
  // Its process dies.
  async (play) => {
    await play.newNode();
    play.room.dies();
    await play.hasMoved(3);
    for (const device of [play.scene.ada, play.scene.bob]) await device.next("room_moved");
  },
  joins(ada),
  joins(bob),
  async ({ scene, room }) => {
    await scene.bob.ask({ type: "call_end", callId: scene.callId });
    await room.next("participant_leave");
  },
];

async function played(after: (play: RoomPlay) => Promise<void>): Promise<RoomPlay> {
  const play = await RoomPlay.begin();
  for (const line of LINES) {
    await line(play);
    await after(play);
  }
  await play.scene.ada.settle();
  return play;
}

describe("a call's object that loses its memory", () => {
  test("[ROOM-14] after every line, sockets hibernating: everybody is told exactly the same, and what was muted stays so", async () => {
    const reference = await played(async () => {});
    await reference.end();
    plays.length = 0;
    const muted = reference.room.heard.flatMap((message) =>
      message.type === "participant_join" ? [message.muted] : [],
    );
    expect(muted).toEqual([["microphone"], []]);
    const stories = reference.stories();
    expect(stories[0]).toEqual([
      "joined 1 with Ada",
      "Bob sends microphone",
      "1 speaks",
      "renegotiate 1",
      "room_moved 2",
      "joined 2 with Ada",
      "Bob sends microphone",
      "room_moved 3",
      "joined 3 with Ada",
      "Bob sends microphone",
    ]);
    const play = await played((each) => each.hibernates());
    expect(play.stories()).toEqual(stories);
    expect(play.rooms.map(({ heard }) => heard.map(({ type }) => type))).toEqual(
      reference.rooms.map(({ heard }) => heard.map(({ type }) => type)),
    );
    const kept = play.room.heard.flatMap((message) => (message.type === "participant_join" ? [message.muted] : []));
    expect(kept).toEqual(muted);
  });

  test("[ROOM-14] with all its sockets, as in a deploy: the node dials again, nobody moves and media goes on", async () => {
    const play = await RoomPlay.begin();
    const { scene, room } = play;
    room.isObliging = true;
    for (const device of [scene.ada, scene.bob, scene.cid]) {
      await scene.joined(device);
      await play.restarts();
      await room.dial();
      expect(await device.next("recover", ({ action }) => action === "resume")).toBeDefined();
    }
    expect(await scene.bob.ask({ type: "renegotiate", callId: scene.callId, epoch: 1, sdp: "offer" })).toMatchObject({
      type: "renegotiate_answer",
    });
    const { participants } = await scene.joined(scene.cid);
    expect(participants.map(({ name }) => name).sort()).toEqual(["Ada", "Bob", "Cid"]);
    expect(
      play
        .stories()
        .flat()
        .filter((line) => line.startsWith("room_moved")),
    ).toEqual([]);
    expect([room.closed, play.rooms.length]).toEqual([null, 1]);
  });

  test("[ROOM-14] a node that does not come back from that is given up after 5 s, and everybody moves", async () => {
    const play = await RoomPlay.begin();
    const { scene, room } = play;
    room.isObliging = true;
    await scene.allJoin();
    const other = await play.newNode();
    const before = Date.now();
    await play.restarts();
    for (const device of scene.devices)
      expect(await device.next("room_moved")).toMatchObject({ epoch: 2, deadlineMs: 0 });
    expect(Date.now() - before).toBeGreaterThanOrEqual(ROOM_REATTACH_MS);
    const next = await other.room(2, scene.callId);
    expect(next.closed).toBeNull();
    for (const device of scene.devices) expect(await scene.joined(device)).toMatchObject({ epoch: 2 });
  });

  test("[ROOM-2] with all its sockets: who asks before the node is back is let in when it is, once", async () => {
    const play = await RoomPlay.begin();
    const { scene, room } = play;
    await play.restarts();
    scene.bob.send({ type: "room_join", id: "again", callId: scene.callId, sdp: "offer" });
    scene.bob.send({ type: "room_join", id: "again", callId: scene.callId, sdp: "offer" });
    await scene.bob.settle();
    room.isObliging = true;
    await room.dial();
    expect(await scene.bob.next("room_joined")).toMatchObject({ re: "again", participants: [{ name: "Bob" }] });
    expect(room.heard.map(({ type }) => type)).toEqual(["participant_join"]);
  });
});
