import type { ReceivedTrack, TrackSource } from "../../schema/room.ts";
import type { ServerMessage, ServerMessageOf } from "../../schema/server-messages.ts";
import type { CallCommand } from "../call-commands.ts";
import { SwitchboardError } from "../errors.ts";
import { type Carrier, flows } from "./carriers.ts";
import {
  type Act,
  JOINING,
  type Negotiation,
  type NegotiationEvent,
  negotiate,
  type SfuDescription,
  type SfuOffer,
} from "./negotiation.ts";
import type { Row } from "./people.ts";
import type { RoomOffer, RoomPath, RoomPeer, RoomPeerEvents } from "./room-peer.ts";
import type { Sources } from "./sending.ts";

/** What a connection needs of its room. */
export interface RoomConnectionLink {
  openPeer(events: RoomPeerEvents): Promise<RoomPeer>;
  /** @throws SwitchboardError what the server answered, `timeout` or `closed` */
  request(command: CallCommand, commandId: string): Promise<ServerMessage | null>;
  send(command: CallCommand): void;
}

export interface RoomConnectionEvents {
  joined(of: RoomConnection, epoch: number): void;
  path(of: RoomConnection, state: RoomPath): void;
  /** Something of what comes in has changed. */
  changed(): void;
  /** It could not be joined or negotiated with. */
  refused(of: RoomConnection): void;
}

/** This device's connection to a room, from its joining to its closing. A room that moves makes a second one. */
export class RoomConnection implements Carrier {
  readonly #link: RoomConnectionLink;
  readonly #events: RoomConnectionEvents;
  #peer: RoomPeer | null = null;
  #negotiation: Negotiation = JOINING;
  #epoch: number | null = null;
  /** The command with this device's offer, while its reply is awaited. */
  #asked: string | null = null;
  #received: readonly ReceivedTrack[] = [];
  #isClosed = false;

  constructor(link: RoomConnectionLink, events: RoomConnectionEvents) {
    this.#link = link;
    this.#events = events;
  }

  /** Of the room that it is in; null until it is in one. */
  get epoch(): number | null {
    return this.#epoch;
  }

  get peer(): RoomPeer | null {
    return this.#peer;
  }

  /** Asks to be let in; what comes of it is told. */
  join(tracks: Sources<MediaStreamTrack | null>, muted: TrackSource[]): void {
    this.#attempt(async () => {
      const peer = await this.#open();
      await peer.publish(tracks);
      await this.#ask(await peer.offer(), (offer) => ({ type: "room_join", ...offer, muted }));
    });
  }

  /** A reply takes effect when it is heard, before the message after it is. */
  hear(message: ServerMessage): void {
    switch (message.type) {
      case "room_joined":
        if (this.#isReply(message)) this.#joined(message);
        break;
      case "renegotiate_answer":
        if (this.#isReply(message)) this.#step({ type: "answered", answer: message });
        break;
      case "renegotiate":
        if (message.epoch === this.#epoch) this.#step({ type: "offered", offer: message });
        break;
      case "video_wanted":
        // What cannot be limited is sent in full.
        if (message.epoch === this.#epoch) this.#peer?.limit(message.source, message.height).catch(() => {});
        break;
      default:
        break;
    }
  }

  /** Somebody's track as it comes in here, by any of the names that they had; null if it does not. */
  track({ device }: Row, source: TrackSource): MediaStreamTrack | null {
    const tracks = (device?.places ?? []).flatMap((place) => {
      const isIt = (one: ReceivedTrack) => one.source === source && one.participantId === place;
      return this.#peer?.track(this.#received.find(isIt)?.mid ?? "") ?? [];
    });
    // Who goes to another node is here twice for a moment.
    return tracks.find(flows) ?? tracks[0] ?? null;
  }

  async publish(tracks: Sources<MediaStreamTrack | null>): Promise<void> {
    await this.#peer?.publish(tracks);
  }

  close(): void {
    this.#isClosed = true;
    this.#peer?.close();
  }

  async #open(): Promise<RoomPeer> {
    const peer = await this.#link.openPeer({
      negotiationNeeded: () => this.#step({ type: "needed" }),
      path: (state) => this.#events.path(this, state),
      remoteChanged: () => this.#events.changed(),
    });
    this.#peer = peer;
    if (!this.#isClosed) return peer;
    peer.close();
    throw new SwitchboardError("closed", "the connection was given up");
  }

  #joined(message: ServerMessageOf<"room_joined">): void {
    this.#epoch = message.epoch;
    this.#events.joined(this, message.epoch);
    this.#step({ type: "answered", answer: message });
  }

  /** What is repeated, and what answers another connection's offer, is not for this one. */
  #isReply({ re }: ServerMessageOf<"room_joined" | "renegotiate_answer">): boolean {
    const isReply = re !== undefined && re === this.#asked;
    if (isReply) this.#asked = null;
    return isReply;
  }

  #step(event: NegotiationEvent): void {
    if (this.#isClosed) return;
    const { next, act } = negotiate(this.#negotiation, event);
    this.#negotiation = next;
    if (act) this.#attempt(() => this.#perform(act));
  }

  /** Where something could not be applied, the two sides do not agree any more on what there is. */
  #attempt(act: () => Promise<void>): void {
    act().catch(() => {
      if (!this.#isClosed) this.#events.refused(this);
    });
  }

  #perform(act: Act): Promise<void> {
    switch (act.type) {
      case "offer":
        return this.#offer();
      case "take":
        return this.#take(act.answer);
      case "answer":
        return this.#answer(act.offer);
    }
  }

  async #offer(): Promise<void> {
    const { peer, epoch } = this;
    if (!peer || epoch === null) return;
    await this.#ask(await peer.offer(), (offer) => ({ type: "renegotiate", ...offer, epoch }));
  }

  async #take({ sdp, tracks }: SfuDescription): Promise<void> {
    await this.#peer?.takeAnswer(sdp);
    this.#applied(tracks);
  }

  async #answer({ negotiationId, sdp, tracks }: SfuOffer): Promise<void> {
    const { peer, epoch } = this;
    if (!peer || epoch === null) return;
    const answer = await peer.answer(sdp);
    if (this.#isClosed) return;
    this.#link.send({ type: "renegotiate_answer", sdp: answer, epoch, negotiationId });
    this.#applied(tracks);
  }

  async #ask(offer: RoomOffer, command: (offer: RoomOffer) => CallCommand): Promise<void> {
    if (this.#isClosed) return;
    const id = crypto.randomUUID();
    this.#asked = id;
    await this.#link.request(command(offer), id);
    if (this.#asked === id) throw new SwitchboardError("invalid_response", "the offer has another reply");
  }

  #applied(tracks: readonly ReceivedTrack[]): void {
    this.#received = tracks;
    this.#events.changed();
    this.#step({ type: "applied" });
  }
}
