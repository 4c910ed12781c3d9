import type { RoomMessage } from "../../../schema/client-messages.ts";
import type { DeviceRef } from "../../../schema/ids.ts";
import type { FromNode, ToNode } from "../../../schema/room-socket.ts";
import type { Placement } from "../../../workers/fleet/placement.ts";
import type { Attendance, Command, Event, NodeRef, Notice } from "../../../workers/room/events.ts";
import { type Kept, kept, restored } from "../../../workers/room/hibernation.ts";
import { isInside, memberOf } from "../../../workers/room/members.ts";
import { isExpected } from "../../../workers/room/moving.ts";
import { alarmDeadline, step, timerDeadline } from "../../../workers/room/room.ts";
import { NO_ROOM, NOTHING_LIVE, type Placed, type Room, type Rtts } from "../../../workers/room/state.ts";
import { ADAS_PHONE, CIDS_PHONE, PHONE, T0, TABLET } from "../call/call-script.ts";
import { about, attendee, MICROPHONE } from "./room-script.ts";

export const PEOPLE = [ADAS_PHONE, PHONE, TABLET, CIDS_PHONE];

export type Happening =
  | { kind: "asks"; who: number; what: "join" | "join an old one" | "offer" | "answer" | "mute" }
  | { kind: "comes" | "goes" | "loses its path" | "connects with the other" | "loses the other"; who: number }
  | { kind: "all but two go" }
  | { kind: "fleet answers"; how: "node" | "none" | "busy" }
  | { kind: "nodes dial" | "nodes work" | "all is said" | "everybody joins" }
  | { kind: "node dies" | "node freezes" | "node comes" | "node drains"; which: number }
  | { kind: "node says"; which: number; what: "tracks" | "speaks" | "lost" | "offers" }
  | { kind: "time passes"; ms: number }
  | { kind: "eviction"; how: "hibernate" | "close" }
  | { kind: "call ends" };

/** Who is in, its pipes and whether they are connected, and what has been said to it that it has not dealt with. */
interface NodeRoom {
  readonly people: Set<string>;
  readonly pipes: Map<string, boolean>;
  readonly inbox: ToNode[];
}

interface Node {
  readonly nodeId: string;
  state: "well" | "frozen" | "dead";
  isDraining: boolean;
  /** By epoch. */
  readonly rooms: Map<number, NodeRoom>;
  /** Epochs that it is to dial. */
  readonly dialling: Set<number>;
}

/** A device as its client is: what it has been told, and what it still waits for. */
export class Client {
  readonly device: DeviceRef;
  isInCall = true;
  wantsIn = false;
  /** Of the room that it takes itself to be in. */
  epoch: number | null = null;
  /** The highest that it has been told of. */
  told = 0;
  speaker: string | null = null;
  /** The connection with the other one left that it is to make. */
  pairing: string | null = null;
  /** It needs no room. */
  isPaired = false;
  readonly waiting = new Set<string>();
  readonly wrong: string[] = [];

  constructor(device: DeviceRef) {
    this.device = device;
  }

  joins(): void {
    this.wantsIn = true;
    this.isPaired = false;
    this.epoch = null;
  }

  hear(notice: Notice): void {
    if (!this.isInCall && notice.type !== "error") this.wrong.push(`heard ${notice.type} outside the call`);
    if ("re" in notice && notice.re !== undefined) this.waiting.delete(notice.re);
    if ("epoch" in notice) this.#hearOf(notice.epoch);
    if (notice.type === "room_joined") {
      this.epoch = notice.epoch;
      this.speaker = null;
    }
    if (notice.type === "room_moved" && notice.epoch !== this.epoch) this.joinsAnew();
    this.#hearOfPair(notice);
    if (notice.type === "recover") this.epoch = null;
    if (notice.type === "dominant_speaker_changed") this.#hearSpeaker(notice.participantId);
  }

  joinsAnew(): void {
    this.epoch = null;
    this.isPaired = false;
  }

  #hearOfPair(notice: Notice): void {
    if (notice.type === "room_pairing") this.pairing = notice.connectionId;
    if (notice.type === "room_pairing_failed") this.pairing = null;
    if (notice.type !== "room_closed") return;
    if (notice.connectionId !== this.pairing) this.wrong.push("left the room for a connection that nobody asked for");
    this.pairing = null;
    this.epoch = null;
    this.isPaired = true;
  }

  #hearOf(epoch: number): void {
    if (epoch < this.told) this.wrong.push(`told of epoch ${epoch} after ${this.told}`);
    this.told = epoch;
  }

  #hearSpeaker(participantId: string): void {
    if (participantId === this.speaker) this.wrong.push(`told twice that ${participantId} speaks`);
    this.speaker = participantId;
  }
}

/** `takes`: for how many people of the room a node has room; `rtts`: of those who are far away. */
export interface Conditions {
  readonly takes: number;
  readonly rtts: Rtts;
  readonly backToPairMs?: number;
}

/** A call's object with its storage, the fleet, nodes and clients: everything around the machine, and all of it may fail. */
export class World {
  room: Room = NO_ROOM;
  stored: Placed | null = null;
  /** What hibernates with the sockets. */
  attached: Kept | null = null;
  now = T0;
  isLive = true;
  readonly clients = PEOPLE.map((device) => new Client(device));
  readonly nodes: Node[] = [];
  /** The open room sockets. */
  sockets: { readonly epoch: number; readonly node: Node }[] = [];
  readonly placing: Extract<Command, { type: "place" }>[] = [];
  writes = 0;
  readonly #conditions: Conditions;
  #ids = 0;

  constructor(conditions: Conditions) {
    this.#conditions = conditions;
    this.#nodeComes();
    this.#nodeComes();
    this.step({ type: "call_changed" });
  }

  get call(): Attendance {
    const devices = this.clients
      .filter(({ isInCall }) => isInCall && this.isLive)
      .map(({ device }) => attendee(device));
    return { isLive: this.isLive, isGroup: true, isRinging: false, isPair: false, isWanted: this.isLive, devices };
  }

  play(happened: Happening): void {
    switch (happened.kind) {
      case "asks":
        this.asks(this.#client(happened.who), happened.what);
        break;
      case "comes":
      case "goes":
        this.#present(this.#client(happened.who), happened.kind === "comes");
        break;
      case "loses its path":
        this.step({ type: "path_lost", from: this.#client(happened.who).device });
        break;
      case "connects with the other":
        this.#connect(this.#client(happened.who));
        break;
      case "loses the other":
        if (this.#client(happened.who).isPaired) this.step({ type: "pair_lost" });
        break;
      case "all but two go":
        for (const client of [this.#client(2), this.#client(3)]) this.#present(client, false);
        break;
      case "fleet answers":
        this.#answer(happened.how);
        break;
      case "nodes dial":
        this.#dial();
        break;
      case "nodes work":
        this.#work();
        break;
      case "all is said":
        this.#allIsSaid();
        break;
      case "everybody joins":
        for (const client of this.clients) this.asks(client, "join");
        this.#allIsSaid();
        break;
      case "node dies":
      case "node freezes":
      case "node drains":
      case "node comes":
        this.#trouble(happened.kind, happened.which);
        break;
      case "node says":
        this.#say(happened.which, happened.what);
        break;
      case "time passes":
        this.pass(happened.ms);
        break;
      case "eviction":
        this.#evict(happened.how);
        break;
      case "call ends":
        this.isLive = false;
        for (const { waiting } of this.clients) waiting.clear();
        this.step({ type: "call_changed" });
        break;
    }
  }

  step(event: Event): void {
    const before = this.room;
    const { room, commands } = step(before, event, {
      call: this.call,
      now: this.now,
      backToPairMs: this.#conditions.backToPairMs,
    });
    this.room = room;
    if (room.placed !== before.placed) {
      this.stored = room === NO_ROOM ? null : room.placed;
      this.writes++;
    }
    if (this.sockets.length > 0) this.attached = kept(room.live);
    for (const command of commands) this.#perform(command);
  }

  #perform(command: Command): void {
    switch (command.type) {
      case "place":
        this.placing.push(command);
        break;
      case "to_node":
        this.#serving(command.epoch, command.nodeId)[0]?.rooms.get(command.epoch)?.inbox.push(command.message);
        break;
      case "tell":
        this.clients.find(({ device }) => device.deviceId === command.to.deviceId)?.hear(command.notice);
        break;
      case "hang_up":
        break;
      case "close":
        this.#close(command.epoch, command.nodeId);
        break;
    }
  }

  #serving(epoch: number, nodeId?: string): Node[] {
    const all = this.sockets.filter(
      (each) => each.epoch === epoch && (nodeId ?? each.node.nodeId) === each.node.nodeId,
    );
    return all.map(({ node }) => node);
  }

  #close(epoch: number, nodeId?: string): void {
    for (const node of this.#serving(epoch, nodeId)) node.rooms.delete(epoch);
    this.#drop(epoch, nodeId);
  }

  #drop(epoch: number, nodeId?: string): void {
    const gone = this.#serving(epoch, nodeId);
    this.sockets = this.sockets.filter((each) => each.epoch !== epoch || !gone.includes(each.node));
  }

  asks(client: Client, what: Extract<Happening, { kind: "asks" }>["what"]): void {
    if (!this.isLive) return;
    const id = `c${++this.#ids}`;
    const epoch = client.epoch ?? 1;
    if (what === "join an old one" && epoch === this.room.placed.epoch) return;
    if (client.isInCall && what !== "mute" && what !== "answer") client.waiting.add(id);
    // Whatever it had, it has given up for this.
    if (client.isInCall && what === "join") client.joins();
    this.step({
      type: "asked",
      from: client.device,
      message: messageOf(what, id, epoch),
      id: `p${this.#ids}`,
      rtts: this.#rttsOf(client),
    });
  }

  /** Half of them are far away. */
  #rttsOf(client: Client): Rtts {
    return this.clients.indexOf(client) % 2 === 0 ? {} : this.#conditions.rtts;
  }

  #connect({ device, pairing }: Client): void {
    if (pairing !== null) this.step({ type: "pair_up", from: device, connectionId: pairing });
  }

  #present(client: Client, isThere: boolean): void {
    client.isInCall = isThere;
    client.pairing = null;
    client.isPaired = false;
    client.epoch = null;
    client.wantsIn = false;
    client.speaker = null;
    client.waiting.clear();
    if (this.isLive) this.step({ type: "call_changed" });
  }

  #answer(how: "node" | "none" | "busy"): void {
    const asked = this.placing.shift();
    if (!asked) return;
    const { epoch, attempt, exclude, part } = asked;
    const well = this.nodes.filter(
      (each) => each.state !== "dead" && !each.isDraining && !exclude.includes(each.nodeId),
    );
    const node = well[attempt % Math.max(1, well.length)];
    const none: Placement = how === "busy" ? { retryMs: 300 } : null;
    if (how === "node") node?.dialling.add(epoch);
    const found = node && { nodeId: node.nodeId, takes: this.#conditions.takes, region: part?.region ?? "near" };
    this.step({ type: "placed", attempt, placement: how === "node" && found ? found : none });
  }

  #dial(): void {
    for (const node of this.nodes.filter(({ state }) => state === "well")) {
      for (const epoch of [...node.dialling]) {
        node.dialling.delete(epoch);
        if (!this.isLive || !isExpected(this.room, epoch, node.nodeId)) {
          node.rooms.delete(epoch);
          continue;
        }
        if (!node.rooms.has(epoch)) node.rooms.set(epoch, { people: new Set(), pipes: new Map(), inbox: [] });
        this.#drop(epoch, node.nodeId);
        this.sockets.push({ epoch, node });
        this.attached = kept(this.room.live);
        this.step({ type: "attached", epoch, nodeId: node.nodeId });
      }
    }
  }

  #work(): void {
    for (const { epoch, node } of [...this.sockets]) {
      const room = node.rooms.get(epoch);
      if (node.state !== "well" || !room) continue;
      for (const message of room.inbox.splice(0)) this.#reply({ epoch, nodeId: node.nodeId }, message, room);
    }
  }

  #reply(from: NodeRef, message: ToNode, { people, pipes }: NodeRoom): void {
    if (message.type === "participant_leave") people.delete(message.participantId);
    if (message.type === "participant_join") {
      people.add(message.participantId);
      this.#heard(from, { ...described(message), type: "participant_joined" });
      this.#heard(from, { type: "participant_tracks", participantId: message.participantId, tracks: [MICROPHONE] });
    }
    if (message.type === "participant_offer") this.#heard(from, { ...described(message), type: "offer_answered" });
    if (message.type === "room_probe") this.#heard(from, { type: "room_alive", re: message.id });
    if (message.type === "pipe_open") {
      pipes.set(message.peerNodeId, pipes.get(message.peerNodeId) ?? false);
      this.#heard(from, { type: "pipe_opened", peerNodeId: message.peerNodeId, address: ADDRESS });
    }
    if (message.type === "pipe_connect" && pipes.has(message.peerNodeId)) pipes.set(message.peerNodeId, true);
    if (message.type === "pipe_close") pipes.delete(message.peerNodeId);
  }

  #heard({ epoch, nodeId }: NodeRef, message: FromNode): void {
    if (this.#serving(epoch, nodeId).length > 0) this.step({ type: "heard", epoch, nodeId, message });
  }

  #say(which: number, what: Extract<Happening, { kind: "node says" }>["what"]): void {
    const all = this.sockets.flatMap(({ epoch, node }) =>
      [...(node.rooms.get(epoch)?.people ?? [])].map((participantId) => ({ epoch, node, participantId })),
    );
    const said = all[which % Math.max(1, all.length)];
    if (said?.node.state !== "well") return;
    const { epoch, node, participantId } = said;
    if (what === "lost") node.rooms.get(epoch)?.people.delete(participantId);
    this.#heard({ epoch, nodeId: node.nodeId }, saying(what, participantId));
  }

  #trouble(kind: "node dies" | "node freezes" | "node drains" | "node comes", which: number): void {
    if (kind === "node comes") {
      this.#nodeComes();
      return;
    }
    const node = this.nodes[which % this.nodes.length];
    if (!node || node.state === "dead") return;
    if (kind === "node freezes") node.state = "frozen";
    if (kind === "node drains") this.#drain(node);
    if (kind === "node dies") this.#die(node);
  }

  #drain(node: Node): void {
    node.isDraining = true;
    for (const { epoch, node: serving } of [...this.sockets]) {
      if (serving === node && node.state === "well")
        this.#heard({ epoch, nodeId: node.nodeId }, { type: "room_draining", deadlineMs: 5_000 });
    }
  }

  #die(node: Node): void {
    node.state = "dead";
    node.dialling.clear();
    for (const { epoch, node: serving } of [...this.sockets]) {
      if (serving !== node) continue;
      this.#drop(epoch, node.nodeId);
      this.step({ type: "detached", epoch, nodeId: node.nodeId });
    }
  }

  #nodeComes(): void {
    const nodeId = `node ${this.nodes.length}`;
    this.nodes.push({ nodeId, state: "well", isDraining: false, rooms: new Map(), dialling: new Set() });
  }

  /** The platform fires every alarm and timer when it is due. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let at = this.deadline(); at !== null && at <= end; at = this.deadline()) {
      this.now = Math.max(this.now, at);
      this.step({ type: "time_passed" });
    }
    this.now = end;
  }

  deadline(): number | null {
    const times = [alarmDeadline(this.room), timerDeadline(this.room)].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** The object loses its memory; sockets hibernate, or are closed and dialled again. */
  #evict(how: "hibernate" | "close"): void {
    this.placing.length = 0;
    if (how === "hibernate") this.#timersFire();
    if (how === "close") {
      for (const { epoch, node } of this.sockets) if (node.state !== "dead") node.dialling.add(epoch);
      this.sockets = [];
      for (const { waiting } of this.clients) waiting.clear();
    }
    const live = this.sockets.length > 0 && this.attached ? restored(this.attached) : NOTHING_LIVE;
    this.room = this.stored ? { placed: this.stored, live } : NO_ROOM;
    if (this.stored)
      this.step({
        type: "restarted",
        attached: this.sockets.map(({ epoch, node }) => ({ epoch, nodeId: node.nodeId })),
      });
    if (how === "close") this.#comeBack();
  }

  /** While one runs, an object does not hibernate. */
  #timersFire(): void {
    for (let at = timerDeadline(this.room); at !== null; at = timerDeadline(this.room)) this.pass(at - this.now);
  }

  /** As after `registered`, by `recover`. */
  #comeBack(): void {
    for (const client of this.clients) {
      const member = memberOf(this.room, client.device);
      if (!client.isPaired && (!member || !isInside(this.room, member))) client.epoch = null;
    }
  }

  /** Whatever was sent has arrived, and been dealt with. */
  #allIsSaid(): void {
    while (this.placing.length > 0) this.#answer("node");
    this.#dial();
    this.#work();
  }

  /** Nothing fails any more, there is a node, and clients do as they are told. */
  settle(): void {
    for (const node of this.nodes) if (node.state === "frozen") node.state = "well";
    this.#nodeComes();
    for (let round = 0; round < 60; round++) {
      this.#allIsSaid();
      for (const client of this.clients) if (this.#isToJoin(client)) this.asks(client, "join");
      this.#allIsSaid();
      for (const client of this.clients) this.#connect(client);
      this.pass(2_000);
    }
  }

  #isToJoin({ isInCall, wantsIn, epoch, waiting, isPaired }: Client): boolean {
    return isInCall && wantsIn && !isPaired && epoch === null && waiting.size === 0;
  }

  #client(which: number): Client {
    const client = this.clients[which % this.clients.length];
    if (!client) throw new Error("there is no such client");
    return client;
  }
}

const ADDRESS = { ip: "127.0.0.1", port: 1, srtp: { cryptoSuite: "AEAD_AES_256_GCM", keyBase64: "k" } } as const;

function messageOf(what: Extract<Happening, { kind: "asks" }>["what"], id: string, epoch: number): RoomMessage {
  switch (what) {
    case "join":
      return { type: "room_join", ...about, id, sdp: "offer" };
    case "join an old one":
      return { type: "room_join", ...about, id, sdp: "offer", epoch };
    case "offer":
      return { type: "renegotiate", ...about, id, sdp: "offer", epoch };
    case "answer":
      return { type: "renegotiate_answer", ...about, id, sdp: "answer", epoch };
    case "mute":
      return { type: "room_update", ...about, id, muted: ["microphone"] };
  }
}

function described({ id, participantId }: { id: string; participantId: string }) {
  return { re: id, participantId, sdp: "answer", tracks: [] };
}

function saying(what: Extract<Happening, { kind: "node says" }>["what"], participantId: string): FromNode {
  switch (what) {
    case "tracks":
      return { type: "participant_tracks", participantId, tracks: [MICROPHONE] };
    case "speaks":
      return { type: "dominant_speaker", participantId };
    case "lost":
      return { type: "participant_lost", participantId, reason: "ice" };
    case "offers":
      return { type: "room_offer", participantId, negotiationId: 1, sdp: "offer", tracks: [] };
  }
}
