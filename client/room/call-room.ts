import type { ServerMessage } from "../../schema/server-messages.ts";
import type { CallCommands } from "../call-commands.ts";
import type { CallLink } from "../call-link.ts";
import type { CallMedia } from "../call-media.ts";
import type { Pair } from "./carriers.ts";
import { DeviceRoom, type RoomLink, type RoomOptions } from "./device-room.ts";

interface CallRoomOptions extends Pick<RoomOptions, "known" | "changed" | "path"> {
  readonly link: CallLink;
  readonly commands: CallCommands;
  readonly media: CallMedia;
  /** Of a call that began between two: the other one. */
  readonly peerId: string | null;
}

/** Only in a group call is there such a message. */
export function isOfGroup(message: ServerMessage): boolean {
  switch (message.type) {
    case "participant_joined":
    case "participant_left":
    case "participant_updated":
    case "room_moved":
      return true;
    case "call_state":
      return message.callType === "group";
    default:
      return false;
  }
}

/** The room of a call, which sends what the call's microphone and camera give. */
export function openRoom({ link, commands, media, peerId, ...options }: CallRoomOptions): DeviceRoom {
  return new DeviceRoom({
    ...options,
    link: linkOf(link, commands),
    own: () => {
      const { camera, microphone, isMuted, isOnHold } = media;
      return { camera, microphone, isMuted, isOnHold };
    },
    pair: peerId === null ? null : pairOf(peerId, media),
  });
}

function linkOf(link: CallLink, commands: CallCommands): RoomLink {
  return {
    get userId() {
      return link.userId;
    },
    deviceId: link.deviceId,
    now: () => link.now(),
    random: () => link.random(),
    reachable: () => link.reachable(),
    openScreen: () => link.openScreen(),
    openPeer: (events) => link.openRoomPeer(events),
    request: (command, commandId) => commands.request(command, commandId),
    send: (command) => commands.send(command),
  };
}

/** The connection between two, seen from the room as one that brings the other one's sound and picture. */
export function pairOf(peerId: string, media: CallMedia): Pair {
  return {
    peerId,
    track({ userId }, source) {
      if (userId !== peerId) return null;
      if (source === "microphone") return media.remoteStream?.getAudioTracks()[0] ?? null;
      return source === "camera" ? (media.remoteStream?.getVideoTracks()[0] ?? null) : null;
    },
    // The call does so itself.
    publish: async () => {},
    close: () => media.leavePair(),
  };
}
