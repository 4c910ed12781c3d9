import type { InCallMessage, RoomMessage } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { parseFromNode, RoomSocketQuery } from "../../schema/room-socket.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { DONE, NOT_FOUND, type Verdict } from "../call/events.ts";
import { isIn, participantOf } from "../call/people.ts";
import type { Call, RoomView } from "../call/state.ts";
import type { Place as NodePlace, Placement, Wanted } from "../fleet/placement.ts";
import { type Party, parseRegions, rank, rttsOf, type Site } from "../fleet/regions.ts";
import { failure, log, short } from "../log.ts";
import { answerClose } from "../socket.ts";
import { attendanceOf, expectedIn } from "./attendance.ts";
import type { Command, Event, Found, Notice } from "./events.ts";
import { isInside, memberOf } from "./members.ts";
import { type Milestone, milestones } from "./milestones.ts";
import { isExpected } from "./moving.ts";
import { pairedWith } from "./pairing.ts";
import { alarmDeadline, step, timerDeadline } from "./room.ts";
import { RoomSockets } from "./room-sockets.ts";
import { NO_ROOM, NOTHING_LIVE, type Placed, type Room, type Rtts } from "./state.ts";

type Place = Extract<Command, { type: "place" }>;

/** The call that the room is of. */
interface Host {
  readonly call: () => Call | null;
  readonly tell: (device: DeviceRef, message: ServerMessage) => void;
  /** Its call socket is closed. */
  readonly hangUp: (device: DeviceRef) => void;
  /** A deadline has changed. */
  readonly arm: () => void;
  /** Where the devices are that are in the call. */
  readonly parties: () => readonly Party[];
  readonly party: (device: DeviceRef) => Party | undefined;
}

/** What there is to a participant's id: enough not to meet itself in one call. */
const ID_LENGTH = 12;

/** The room of one call: the shell around `room.ts`, inside the call's object. */
export class CallRoom {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #host: Host;
  readonly #sockets: RoomSockets;
  #room: Room;
  /** The fleet is being asked: its answer comes before what follows from it. */
  #asking: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Env, host: Host) {
    this.#ctx = ctx;
    this.#env = env;
    this.#host = host;
    this.#sockets = new RoomSockets(ctx);
    const placed = ctx.storage.kv.get<Placed>("room");
    this.#room = placed
      ? { placed: { ...NO_ROOM.placed, ...placed }, live: this.#sockets.kept() ?? NOTHING_LIVE }
      : NO_ROOM;
    if (placed) this.#restart();
  }

  has(socket: WebSocket): boolean {
    return this.#sockets.has(socket);
  }

  /** A node dials. One that was asked to just now may be faster than the answer that names it. */
  async accept(request: Request): Promise<Response> {
    const { epoch, nodeId } = RoomSocketQuery.parse(Object.fromEntries(new URL(request.url).searchParams));
    await this.#asking;
    if (!isExpected(this.#room, epoch, nodeId)) return this.#sockets.refuse();
    const response = this.#sockets.accept(epoch, nodeId);
    this.#step({ type: "attached", epoch, nodeId });
    this.#sockets.keep(this.#room.live);
    return response;
  }

  hear(socket: WebSocket, frame: string | ArrayBuffer): void {
    const parsed = parseFromNode(frame);
    if (parsed.ok) this.#step({ type: "heard", ...this.#sockets.nodeOf(socket), message: parsed.message });
    else log("room_frame_refused", { call: this.#name, code: parsed.refusal.code });
  }

  closed(socket: WebSocket, code: number): void {
    const left = this.#sockets.left(socket);
    answerClose(socket, code);
    if (left) this.#step({ type: "detached", ...left });
  }

  /** The reply follows when the node has given one. */
  ask(from: DeviceRef, message: RoomMessage): Verdict {
    const call = this.#host.call();
    if (!call || !participantOf(call, from.userId)) return NOT_FOUND;
    if (call.phase.kind === "ended") return { kind: "over" };
    this.#step({ type: "asked", from, message, id: crypto.randomUUID().slice(-ID_LENGTH), rtts: this.#rtts(from) });
    return DONE;
  }

  /**
   * A device in the call has lost its media.
   * @param isFailed it will not come back by itself
   * @returns whether that is the room's affair: it is not out of the call for it
   */
  pathLost(from: DeviceRef, isFailed: boolean): boolean {
    const call = this.#host.call();
    if (!call || !isIn(call, from)) return false;
    const isPaired = this.pairedWith(from) !== undefined && !memberOf(this.#room, from);
    if (isPaired ? !isFailed : !memberOf(this.#room, from)) return false;
    this.#step(isPaired ? { type: "pair_lost" } : { type: "path_lost", from });
    return true;
  }

  /** @returns whether a device reports the connection that it was asked for, and not the one in use */
  pairUp(from: DeviceRef, message: InCallMessage): boolean {
    if (message.type !== "call_media" || message.state !== "connected") return false;
    const { connectionId } = message;
    if (connectionId === undefined || connectionId !== this.pairConnectionId) return false;
    this.#step({ type: "pair_up", from, connectionId });
    return true;
  }

  /** The other end of a connection that has taken the room's place, or is about to. */
  pairedWith(from: DeviceRef): DeviceRef | undefined {
    return pairedWith(this.#room, from);
  }

  /** Of that connection, on the wire. */
  get pairConnectionId(): string | null {
    const { pairing } = this.#room.placed;
    return pairing?.kind === "opening" || pairing?.kind === "paired" ? pairing.connectionId : null;
  }

  callChanged(): void {
    const call = this.#host.call();
    if (!call || (this.#room === NO_ROOM && !attendanceOf(call).isWanted)) return;
    this.#step({ type: "call_changed" });
  }

  timePassed(): void {
    if (this.deadline <= Date.now()) this.#step({ type: "time_passed" });
  }

  /** When the room wants to be woken by the alarm, in Unix ms. */
  get deadline(): number {
    return alarmDeadline(this.#room) ?? Number.POSITIVE_INFINITY;
  }

  /** Once the call's media is in a room: which, and which of the user's devices are in it. */
  view(userId: string): RoomView | undefined {
    const { hasOpened, epoch, members } = this.#room.placed;
    if (!hasOpened) return undefined;
    const inside = members.filter((member) => member.userId === userId && isInside(this.#room, member));
    return { epoch, inside: inside.map(({ deviceId }) => deviceId) };
  }

  /** Nothing is written or told: what was placed stands, and what waits for the node waits by a timer. */
  #restart(): void {
    const attached = this.#sockets.nodes();
    this.#room = this.#next({ type: "restarted", attached }).room;
    this.#time();
  }

  #next(event: Event) {
    const call = this.#host.call();
    const attendance = call ? attendanceOf(call) : NOBODY;
    const backToPairMs = Number(this.#env.ROOM_BACK_TO_PAIR_MS) || undefined;
    return step(this.#room, event, { call: attendance, now: Date.now(), backToPairMs });
  }

  /** Decides, writes what is worth a row, then says it. */
  #step(event: Event): void {
    const before = this.#room;
    const { room, commands } = this.#next(event);
    this.#room = room;
    if (room.placed !== before.placed) this.#write();
    if (room.live !== before.live) this.#sockets.keep(room.live);
    for (const command of commands) this.#perform(command);
    for (const milestone of milestones(before, event, room)) this.#log(milestone);
    this.#time();
    if (room.placed !== before.placed) this.#host.arm();
  }

  #write(): void {
    if (this.#room === NO_ROOM) this.#ctx.storage.kv.delete("room");
    else this.#ctx.storage.kv.put("room", this.#room.placed);
  }

  #perform(command: Command): void {
    switch (command.type) {
      case "place":
        this.#asking = this.#place(command);
        this.#ctx.waitUntil(this.#asking);
        break;
      case "to_node":
        this.#sockets.send(command, command.message);
        break;
      case "tell":
        this.#tell(command.to, command.notice);
        break;
      case "hang_up":
        this.#host.hangUp(command.to);
        break;
      case "close":
        this.#sockets.close(command, command.why);
        break;
    }
  }

  #tell(to: DeviceRef, notice: Notice): void {
    const call = this.#host.call();
    if (!call) return;
    const { callId, rev } = call;
    this.#host.tell(to, notice.type === "error" ? { ...notice, callId } : { ...notice, callId, rev });
  }

  async #place(command: Place): Promise<void> {
    this.#step({ type: "placed", attempt: command.attempt, placement: await this.#find(command) });
  }

  /** In the best region that has a node for it. */
  async #find({ epoch, exclude, part }: Place): Promise<Found> {
    const call = this.#host.call();
    if (!call) return null;
    const wanted = { callId: call.callId, epoch, expected: expectedIn(call), exclude, part: part?.people ?? null };
    const ranked = rank(this.#sites, this.#host.parties());
    let placement: Exclude<Found, NodePlace> = null;
    for (const region of part?.region == null ? ranked : [part.region]) {
      const answer = await this.#findIn(region, wanted);
      if (answer && "nodeId" in answer) return { ...answer, region };
      placement ??= answer;
    }
    return placement;
  }

  get #sites(): readonly Site[] {
    return parseRegions(this.#env.SFU_REGIONS);
  }

  /** How far the device is from each region, where there are several. */
  #rtts(device: DeviceRef): Rtts {
    const sites = this.#sites;
    const party = sites.length < 2 ? undefined : this.#host.party(device);
    return party ? rttsOf(sites, party) : {};
  }

  /** A region that does not answer has no node. */
  async #findIn(region: string, wanted: Wanted): Promise<Placement> {
    try {
      return await this.#env.FLEET.getByName(region).place(wanted);
    } catch (error) {
      log("fleet_unreachable", { call: this.#name, region, failure: failure(error) });
      return null;
    }
  }

  /** Only while something is asked that is answered within moments: a timer keeps the object awake. */
  #time(): void {
    clearTimeout(this.#timer);
    const deadline = timerDeadline(this.#room);
    if (deadline === null) return;
    this.#timer = setTimeout(() => this.#step({ type: "time_passed" }), Math.max(0, deadline - Date.now()));
  }

  #log({ event, epoch, nodeId, reason }: Milestone): void {
    const why = reason === undefined ? {} : { reason };
    log(event, { call: this.#name, epoch, ...(nodeId !== undefined && { node: short(nodeId) }), ...why });
  }

  get #name(): string {
    return short(this.#host.call()?.callId ?? "");
  }
}

/** A node dials, and no device. */
export function isRoomRequest({ url }: Request): boolean {
  return new URL(url).pathname.startsWith("/sfu/");
}

export function isRoomMessage(message: InCallMessage): message is RoomMessage {
  switch (message.type) {
    case "room_join":
    case "renegotiate":
    case "renegotiate_answer":
    case "room_update":
      return true;
    default:
      return false;
  }
}

const NOBODY = { isLive: false, isGroup: false, isRinging: false, isPair: false, isWanted: false, devices: [] };
