import type { RoomMessage } from "../../../schema/client-messages.ts";
import type { DeviceRef } from "../../../schema/ids.ts";
import type { RoomTrack } from "../../../schema/room.ts";
import type { FromNode, ToNode } from "../../../schema/room-socket.ts";
import type { Attendance, Attendee, Command, Event, Notice } from "../../../workers/room/events.ts";
import { nodesOf } from "../../../workers/room/members.ts";
import { alarmDeadline, step, timerDeadline } from "../../../workers/room/room.ts";
import { NO_ROOM, type Room } from "../../../workers/room/state.ts";
import { ADA, ADAS_PHONE, BOB, CALL_ID, CID, CIDS_PHONE, EVE, PHONE, T0, TABLET } from "../call/call-script.ts";

export const NODE = "0190a000-0000-7000-8000-00000000000a";
export const OTHER_NODE = "0190a000-0000-7000-8000-00000000000b";
export const MICROPHONE: RoomTrack = { source: "microphone", muted: false };

const NAMES: Readonly<Record<string, string>> = { [ADA]: "Ada", [BOB]: "Bob", [CID]: "Cid", [EVE]: "Eve" };
const DEVICES: Readonly<Record<string, string>> = {
  [ADAS_PHONE.deviceId]: "ada",
  [PHONE.deviceId]: "bob",
  [TABLET.deviceId]: "bob2",
  [CIDS_PHONE.deviceId]: "cid",
};

export const about = { callId: CALL_ID };

export function attendee({ userId, deviceId }: DeviceRef): Attendee {
  return { userId, deviceId, name: NAMES[userId] ?? "" };
}

/** A room that is played event by event, with what was said about the last one. */
export class RoomScript {
  room: Room = NO_ROOM;
  now = T0;
  call: Attendance = {
    isLive: true,
    isGroup: true,
    isRinging: false,
    isPair: false,
    isWanted: true,
    devices: [ADAS_PHONE, PHONE, CIDS_PHONE].map(attendee),
  };
  /** Of the deployment: without it two who are left stay in the room. */
  backToPairMs: number | undefined;
  commands: readonly Command[] = [];
  /** For so many people a node has room. */
  takes = 32;
  rtts: Readonly<Record<string, number>> = {};
  #ids = 0;

  event(event: Event, after = 0): this {
    this.now += after;
    const next = step(this.room, event, { call: this.call, now: this.now, backToPairMs: this.backToPairMs });
    this.room = next.room;
    this.commands = next.commands;
    return this;
  }

  changes(call: Partial<Attendance>): this {
    this.call = { ...this.call, ...call };
    return this.event({ type: "call_changed" });
  }

  /** The call is answered, and the fleet has a node for it. */
  placed(nodeId = NODE): this {
    if (!this.room.placed.isWanted) this.event({ type: "call_changed" });
    return this.event({
      type: "placed",
      attempt: this.room.placed.attempts,
      placement: { nodeId, takes: this.takes, region: "local" },
    });
  }

  attaches(epoch = 1, nodeId = NODE): this {
    return this.event({ type: "attached", epoch, nodeId });
  }

  detaches(epoch = 1, nodeId = NODE): this {
    return this.event({ type: "detached", epoch, nodeId });
  }

  open(): this {
    return this.placed().attaches();
  }

  asks(from: DeviceRef, message: RoomMessage): this {
    return this.event({ type: "asked", from, message, id: `p${++this.#ids}`, rtts: this.rtts });
  }

  joins(from: DeviceRef, more: Partial<Extract<RoomMessage, { type: "room_join" }>> = {}): this {
    return this.asks(from, { type: "room_join", ...about, id: `j${DEVICES[from.deviceId]}`, sdp: "offer", ...more });
  }

  /** Its node lets in everybody who has asked. */
  answers(epoch = this.room.placed.epoch): this {
    const said: Command[] = [];
    for (const { kind, participantId, nodeId, id } of this.room.live.requests) {
      const reply = { re: id, participantId, sdp: "answer", tracks: [] };
      this.hears({ type: kind === "join" ? "participant_joined" : "offer_answered", ...reply }, epoch, nodeId);
      said.push(...this.commands);
    }
    this.commands = said;
    return this;
  }

  /** From the home node, unless another is named. */
  hears(message: FromNode, epoch = this.room.placed.epoch, nodeId = nodesOf(this.room)[0] ?? NODE): this {
    return this.event({ type: "heard", epoch, nodeId, message });
  }

  passes(ms: number): this {
    return this.event({ type: "time_passed" }, ms);
  }

  /** When the room is next to be woken. */
  get deadline(): number | null {
    const times = [alarmDeadline(this.room), timerDeadline(this.room)].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** What devices heard, each as `device type details`. */
  get heard(): string[] {
    return this.commands.flatMap((command) =>
      command.type === "tell" ? [`${DEVICES[command.to.deviceId] ?? "?"} ${line(command.notice)}`] : [],
    );
  }

  /** What was said to nodes, with the epoch, and what else was done. */
  get done(): string[] {
    return this.commands.flatMap((command) => (command.type === "tell" ? [] : [commandLine(command)]));
  }
}

function commandLine(command: Exclude<Command, { type: "tell" }>): string {
  switch (command.type) {
    case "to_node":
      return `${command.epoch} ${nodeLine(command.message)}`;
    case "place":
      return `place ${command.epoch}${command.part ? ` part in ${command.part.region ?? "any"}` : ""}${command.exclude.map((id) => ` without ${id.at(-1)}`).join("")}`;
    case "hang_up":
      return `hang up ${DEVICES[command.to.deviceId]}`;
    case "close":
      return `close ${command.epoch} ${command.why}`;
  }
}

function line(notice: Notice): string {
  switch (notice.type) {
    case "room_joined":
      return `joined ${notice.epoch} with ${notice.participants.map(({ participantId }) => participantId)}`;
    case "renegotiate":
      return `offer ${notice.epoch} ${notice.negotiationId}`;
    case "renegotiate_answer":
      return `answer ${notice.epoch}`;
    case "participant_updated": {
      const tracks = (notice.tracks ?? []).map(({ source, muted }) => (muted ? `${source}:muted` : source));
      return `${notice.name}'s ${notice.participantId} sends ${tracks.join(" ") || "nothing"}`;
    }
    case "dominant_speaker_changed":
      return `${notice.participantId} speaks`;
    case "video_wanted":
      return `${notice.source} wanted ${notice.height}`;
    case "room_moved":
      return `moved ${notice.epoch} in ${notice.deadlineMs}`;
    case "room_pairing":
      return `${notice.offer ? "offers" : "awaits"} ${notice.connectionId} in ${notice.deadlineMs}`;
    case "room_pairing_failed":
      return `drops ${notice.connectionId}`;
    case "room_closed":
      return `closed ${notice.epoch} for ${notice.connectionId}`;
    case "recover":
      return notice.action;
    case "error":
      return `error ${notice.code}${notice.re ? ` to ${notice.re}` : ""}`;
  }
}

function nodeLine(message: ToNode): string {
  switch (message.type) {
    case "participant_join":
      return `join ${message.participantId}${message.muted.length > 0 ? ` muted ${message.muted}` : ""}`;
    case "participant_offer":
      return `offer ${message.participantId}`;
    case "participant_answer":
      return `answer ${message.participantId} ${message.negotiationId ?? ""}`;
    case "participant_update":
      return `update ${message.participantId}`;
    case "participant_leave":
      return `leave ${message.participantId}`;
    default:
      return message.type;
  }
}

export function script(): RoomScript {
  return new RoomScript();
}

/** Ada and Bob are in. */
export function talking(): RoomScript {
  return script().open().joins(ADAS_PHONE).answers().joins(PHONE).answers();
}

export function offer(epoch: number) {
  return { type: "renegotiate", ...about, id: "o", epoch, sdp: "offer" } as const;
}

export function answer(epoch: number) {
  return { type: "renegotiate_answer", ...about, id: "a", epoch, sdp: "answer" } as const;
}

export function mute(source: "microphone" | "camera"): RoomMessage {
  return { type: "room_update", ...about, id: "u", muted: [source] };
}

export function alive({ room }: RoomScript) {
  return { type: "room_alive", re: room.live.probe?.id ?? "" } as const;
}

export function speaks(participantId: string) {
  return { type: "dominant_speaker", participantId } as const;
}
