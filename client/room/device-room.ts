import type { TrackSource, VideoRequest } from "../../schema/room.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { QualityWatch } from "../quality-watch.ts";
import type { Carrier, Pair } from "./carriers.ts";
import { Demand } from "./demand.ts";
import { Handover } from "./handover.ts";
import { course, deadline, isUp, type Membership, type MembershipEvent, OUTSIDE } from "./membership.ts";
import type { Participant } from "./participant.ts";
import { type Device, hasOthers, hear, type People, peopleFrom, type Row, rows, tracksBy } from "./people.ts";
import type { Room } from "./room.ts";
import { RoomConnection, type RoomConnectionLink } from "./room-connection.ts";
import { mutedOf, type Sending, tracksOf } from "./sending.ts";
import { release, type Screen, SharedScreen } from "./shared-screen.ts";
import { Streams } from "./streams.ts";
import type { VideoSource } from "./wants.ts";

/** What a room needs of its call. */
export interface RoomLink extends RoomConnectionLink {
  readonly userId: string;
  readonly deviceId: string;
  now(): number;
  random(): number;
  /** Resolves when the server can be reached. */
  reachable(): Promise<void>;
  /** @throws SwitchboardError `screen_denied` */
  openScreen(): Promise<Screen>;
}

export interface RoomOptions {
  readonly link: RoomLink;
  /** Who is called, or calls. */
  readonly known: Parameters<typeof peopleFrom>[0];
  /** What this device sends besides a screen. */
  readonly own: () => Omit<Sending, "screen" | "screen_audio">;
  /** Of a call that began between two: their own connection, which goes on until the room carries both. */
  readonly pair: Pair | null;
  /** Something that a page shows has changed. */
  readonly changed: () => void;
  readonly path: (state: "connected" | "recovering" | "failed") => void;
}

/** A room as an app sees it, and what its call does with it besides. */
export class DeviceRoom implements Room {
  readonly #options: RoomOptions;
  readonly #streams = new Streams();
  readonly #screen = new SharedScreen(() => this.publish());
  readonly #demand: Demand;
  readonly #handover: Handover;
  readonly #quality: QualityWatch;
  #people: People;
  #isAnswered = false;
  #membership: Membership = OUTSIDE;
  #toldMuted = "";
  /** Of two: the ones who called each other, or who are left. */
  #pair: Pair | null;
  #isPaired = false;
  #due: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#people = peopleFrom(options.known);
    this.#pair = options.pair;
    this.#handover = new Handover(options.pair);
    this.#quality = new QualityWatch({
      sample: () => this.#present?.peer?.sample(),
      changed: () => options.changed(),
    });
    this.#demand = new Demand({
      devices: () => this.#devices(),
      tell: (wants) => this.#tell({ wants }),
    });
  }

  get participants(): Participant[] {
    const carriers = this.#options.own().isOnHold ? [] : this.#handover.carriers;
    return this.#rows.map((row) => this.#participant(row, carriers));
  }

  get isSpeaking(): boolean {
    const { userId, deviceId } = this.#options.link;
    return this.#people.speaker?.userId === userId && this.#people.speaker.deviceId === deviceId;
  }

  get isUp(): boolean {
    return this.#isPaired || isUp(this.#membership);
  }

  /** The two who are left have a connection of their own instead. */
  get isPaired(): boolean {
    return this.#isPaired;
  }

  get screen(): MediaStreamTrack | null {
    return this.#screen.video;
  }

  get isPoor(): boolean {
    return this.#quality.isPoor;
  }

  show(key: string, source: VideoSource, height: number): void {
    this.#demand.show(key, source, height);
  }

  async shareScreen(): Promise<void> {
    const screen = await this.#options.link.openScreen();
    if (this.#membership.kind === "over") release(screen);
    else this.#screen.set(screen);
  }

  stopSharing(): void {
    this.#screen.stop();
  }

  async stats(): Promise<RTCStatsReport | null> {
    return this.#present?.peer?.stats() ?? null;
  }

  /** The call is answered: its media may be in a room. */
  answered(): void {
    this.#isAnswered = true;
    this.#consider();
  }

  /** The device has another network: the server says what is to be done, as for any lost path. */
  moved(): void {
    void this.#options.link.reachable().then(() => this.#step({ type: "path", state: "gone" }));
  }

  /** A message of the server about this call. */
  hear(message: ServerMessage): void {
    const before = this.#people;
    this.#people = hear(before, message);
    this.#present?.hear(message);
    if (this.#isAnswered) this.#follow(message);
    if (this.#people !== before) this.#changed();
  }

  /** Microphone, camera, screen or hold have changed. */
  publish(): void {
    const sending = this.#sending;
    const tracks = tracksOf(sending);
    // A connection that cannot take them is on its way out.
    for (const carrier of this.#handover.carriers) carrier.publish(tracks).catch(() => {});
    this.#tellMuted(sending);
    this.#demand.changed();
    this.#options.changed();
    // A connection between two has no place for it.
    if (this.#isPaired && sending.screen) this.#step({ type: "wanted" });
  }

  /** The room is over, and its place is taken by the connection of the two who are left. */
  leaveFor(pair: Pair): void {
    this.#pair = pair;
    this.#isPaired = true;
    this.#step({ type: "left" });
    this.#quality.stop();
    this.#handover.back(pair);
    // Nobody tells who speaks.
    this.#people = { ...this.#people, speaker: null };
    this.#toldMuted = "";
    this.publish();
  }

  close(): void {
    this.#step({ type: "closed" });
    this.#quality.stop();
    clearTimeout(this.#due);
    this.#demand.close();
    this.#screen.stop();
    this.#handover.close();
  }

  /** Where the room is, as far as the server tells. */
  #follow(message: ServerMessage): void {
    if (message.type === "room_moved") this.#step({ type: "wanted", epoch: message.epoch });
    if (message.type === "call_state" && message.room) this.#step({ type: "wanted", epoch: message.room.epoch });
    if (message.type === "recover" && message.action === "rejoin") this.#step({ type: "told" });
    this.#consider();
  }

  /** Two stay on their own connection until the server says that there is a room. */
  #consider(): void {
    const pair = this.#pair;
    const isNeeded = pair === null || hasOthers(this.#people, [this.#options.link.userId, pair.peerId]);
    if (this.#isAnswered && isNeeded) this.#step({ type: "wanted" });
  }

  #step(event: MembershipEvent): void {
    const { now, random } = this.#options.link;
    const { next, duty } = course(this.#membership, event, { now: now(), random: random() });
    this.#membership = next;
    this.#arm();
    switch (duty) {
      case "join":
        this.#join();
        break;
      case "tell_connected":
        this.#connected();
        break;
      case "tell_recovering":
        this.#options.path("recovering");
        break;
      case "give_up":
        this.#options.path("failed");
        break;
      case null:
        break;
    }
  }

  #arm(): void {
    clearTimeout(this.#due);
    const at = deadline(this.#membership);
    if (at === null) return;
    this.#due = setTimeout(() => this.#step({ type: "time_passed" }), Math.max(0, at - this.#options.link.now()));
  }

  #join(): void {
    this.#isPaired = false;
    const connection = new RoomConnection(this.#options.link, {
      joined: (of, epoch) => this.#with(of, () => this.#joined(epoch)),
      path: (of, state) => this.#with(of, () => this.#step({ type: "path", state })),
      refused: (of) => this.#with(of, () => this.#step({ type: "refused" })),
      changed: () => this.#changed(),
    });
    this.#handover.replace(connection);
    const muted = mutedOf(this.#sending);
    this.#toldMuted = muted.join();
    connection.join(tracksOf(this.#sending), muted);
  }

  /** What a connection says that was replaced is of no interest. */
  #with(connection: RoomConnection, act: () => void): void {
    if (connection === this.#present) act();
  }

  #joined(epoch: number): void {
    this.#step({ type: "joined", epoch });
    // Since the offer was made.
    this.publish();
    this.#demand.reset();
  }

  #changed(): void {
    this.#handover.settle(this.#rows);
    this.#demand.changed();
    this.#options.changed();
  }

  #connected(): void {
    this.#quality.start();
    this.#handover.up();
    this.#handover.settle(this.#rows);
    this.#options.path("connected");
  }

  #tellMuted(sending: Sending): void {
    const muted = mutedOf(sending);
    if (muted.join() !== this.#toldMuted && this.#tell({ muted })) this.#toldMuted = muted.join();
  }

  /** @returns false where there is no room yet */
  #tell(update: { muted: TrackSource[] } | { wants: VideoRequest[] }): boolean {
    if (this.#present?.epoch == null && !this.#isPaired) return false;
    this.#options.link.send({ type: "room_update", ...update });
    return true;
  }

  #participant(row: Row, carriers: readonly Carrier[]): Participant {
    const { device, ...user } = row;
    const key = keyOf(row);
    const { speaker } = this.#people;
    return {
      ...user,
      key,
      deviceId: device?.deviceId ?? null,
      isSpeaking: speaker?.userId === user.userId && speaker.deviceId === device?.deviceId,
      ...tracksBy(row),
      streams: user.state === "joined" ? this.#streams.of(row, carriers) : {},
    };
  }

  get #present(): RoomConnection | null {
    return this.#handover.present;
  }

  get #sending(): Sending {
    return { ...this.#options.own(), screen: this.#screen.video, screen_audio: this.#screen.audio };
  }

  get #rows(): Row[] {
    return rows(this.#people, this.#options.link);
  }

  #devices(): ReadonlyMap<string, Device> {
    return new Map(this.#rows.flatMap((row) => (row.device ? [[keyOf(row), row.device]] : [])));
  }
}

function keyOf({ userId, device }: Row): string {
  return device ? `${userId}/${device.deviceId}` : userId;
}
