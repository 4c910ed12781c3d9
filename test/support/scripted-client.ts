import { randomUUID } from "node:crypto";
import { type Platform, Switchboard } from "../../client/index.ts";
import { FakeDevices } from "./fake-media.ts";
import { FakePeer } from "./fake-peer.ts";
import { FakeRoomPeer } from "./fake-room-peer.ts";
import type { ScriptedConnection, ScriptedEdge } from "./scripted-edge.ts";

export interface ScriptedClient {
  readonly switchboard: Switchboard;
  readonly userId: string;
  readonly deviceId: string;
  readonly devices: FakeDevices;
  readonly peers: FakePeer[];
  /** Connections to rooms. */
  readonly roomPeers: FakeRoomPeer[];
  /** The user socket, registered. */
  readonly socket: ScriptedConnection;
}

/** A client of the scripted edge, without media and without waiting between reconnections. */
export async function connectClient(
  edge: ScriptedEdge,
  token = () => "a.b.c",
  platform: Partial<Platform> = {},
): Promise<ScriptedClient> {
  const userId = randomUUID();
  const deviceId = randomUUID();
  const devices = new FakeDevices();
  const peers: FakePeer[] = [];
  const roomPeers: FakeRoomPeer[] = [];
  const switchboard = new Switchboard({
    url: edge.url,
    token,
    deviceId,
    deviceType: "Web",
    platform: {
      getUserMedia: devices.getUserMedia,
      getDisplayMedia: devices.getDisplayMedia,
      random: () => 0,
      ...platform,
    },
    openPeer: (options) => {
      const peer = new FakePeer(options);
      peers.push(peer);
      return peer;
    },
    openRoomPeer: (options) => {
      const peer = new FakeRoomPeer(options);
      roomPeers.push(peer);
      return peer;
    },
  });
  switchboard.connect();
  const socket = await edge.registered("/ws", userId);
  return { switchboard, userId, deviceId, devices, peers, roomPeers, socket };
}
