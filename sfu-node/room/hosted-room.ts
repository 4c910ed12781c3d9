import type { types } from "mediasoup";
import type { RtpCapabilities } from "mediasoup-client/types";
import type { ReceivedTrack, RoomTrack, TrackSource } from "../../schema/room.ts";
import type { FromNode, ToNode } from "../../schema/room-socket.ts";
import { type Log, problem, short } from "../log.ts";
import type { MediaWorker } from "../workers.ts";
import { AudioLevels } from "./audio-levels.ts";
import { roomCapabilities } from "./capabilities.ts";
import { MEDIA_CODECS } from "./codecs.ts";
import { Connection } from "./connection.ts";
import { type Numbers, numbersOf } from "./numbers.ts";
import { RoomRefusal } from "./refusal.ts";
import * as model from "./room.ts";
import * as speaker from "./speaker.ts";

/** Joins and leaves within this time reach each participant as one offer. Longer delays the first picture. */
const GATHER_MS = 50;

export interface RoomOptions {
  readonly callId: string;
  readonly mediaWorker: MediaWorker;
  readonly lastN: number;
  readonly send: (message: FromNode) => void;
  readonly log: Log;
}

/** How long a client has to answer an offer. One that never does would be stuck with what it has. */
const ANSWER_MS = 10_000;

const VIDEO_SOURCES = ["camera", "screen"] as const;

type Lost = Extract<FromNode, { type: "participant_lost" }>["reason"];
type Joined = Extract<ToNode, { type: "participant_join" }>;

/** One room on this node: the shell around `room.ts` and `speaker.ts`, and around mediasoup. */
export class HostedRoom {
  readonly #options: RoomOptions;
  readonly #router: types.Router;
  readonly #levels: AudioLevels;
  readonly #capabilities: RtpCapabilities;
  readonly #numbers: Numbers;
  readonly #connections = new Map<string, Connection>();
  readonly #gathering = new Map<string, NodeJS.Timeout>();
  readonly #sampling: NodeJS.Timeout;
  /** What participants were told to be wanted of their videos; of the others everything is. */
  readonly #demands = new Map<string, number>();
  #room: model.Room;
  #speakers = speaker.NOBODY_SPEAKS;

  private constructor(options: RoomOptions, router: types.Router, levels: AudioLevels) {
    this.#options = options;
    this.#router = router;
    this.#levels = levels;
    this.#capabilities = roomCapabilities(router.rtpCapabilities);
    this.#numbers = numbersOf(this.#capabilities);
    this.#room = model.createRoom(options.lastN);
    this.#sampling = setInterval(() => this.#sample(), speaker.SAMPLE_MS);
    router.observer.once("close", () => this.close());
  }

  static async open(options: RoomOptions): Promise<HostedRoom> {
    const router = await options.mediaWorker.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    return new HostedRoom(options, router, await AudioLevels.open(router));
  }

  get size(): number {
    return this.#connections.size;
  }

  async handle(message: ToNode): Promise<void> {
    switch (message.type) {
      case "participant_join":
        return this.#reply(message, () => this.#join(message));
      case "participant_offer":
        return this.#reply(message, () => this.#takeOffer(message));
      case "participant_answer":
        return this.#reply(message, () => this.#takeAnswer(message));
      case "participant_update":
        return this.#update(message);
      case "participant_leave":
        return this.#leave(message.participantId);
      case "room_probe":
        return this.#options.send({ type: "room_alive", re: message.id });
    }
  }

  close(): void {
    clearInterval(this.#sampling);
    for (const timer of this.#gathering.values()) clearTimeout(timer);
    this.#gathering.clear();
    this.#connections.clear();
    this.#router.close();
  }

  /** A refusal is the sender's; anything else is a defect, or mediasoup's worker has died. */
  async #reply(message: { id: string; participantId: string }, act: () => Promise<FromNode | null>): Promise<void> {
    const { id: re, participantId } = message;
    try {
      const reply = await act();
      if (reply) this.#options.send(reply);
    } catch (error) {
      const refusal = error instanceof RoomRefusal ? error : new RoomRefusal("internal", "try again");
      if (refusal !== error)
        this.#options.log("room_failed", { call: short(this.#options.callId), problem: problem(error) });
      this.#options.send({ type: "room_error", re, participantId, code: refusal.code, message: refusal.message });
    }
  }

  async #join({ id: re, participantId, sdp, tracks, muted }: Joined): Promise<FromNode> {
    if (this.#connections.has(participantId)) throw new RoomRefusal("bad_message", "participantId: is in the room");
    const connection = await this.#connect(participantId);
    this.#room = model.join(this.#room, participantId, muted);
    this.#connections.set(participantId, connection);
    try {
      await connection.setMuted(new Set(muted));
      const answer = await connection.takeOffer(sdp, tracks);
      return { type: "participant_joined", re, participantId, sdp: answer, tracks: this.#received(connection) };
    } catch (error) {
      this.#leave(participantId);
      throw error;
    } finally {
      this.#replan();
    }
  }

  async #connect(participantId: string): Promise<Connection> {
    const transport = await this.#router.createWebRtcTransport({
      webRtcServer: this.#options.mediaWorker.webRtcServer,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      initialAvailableOutgoingBitrate: 1_000_000,
    });
    transport.on("icestatechange", (state) => state === "disconnected" && this.#lost(participantId, transport, "ice"));
    transport.on("dtlsstatechange", (state) => {
      if (state === "failed" || state === "closed") this.#lost(participantId, transport, "dtls");
    });
    return new Connection({
      transport,
      capabilities: this.#capabilities,
      numbers: this.#numbers,
      onTracks: () => this.#tracksChanged(participantId),
    });
  }

  #lost(participantId: string, transport: types.WebRtcTransport, reason: Lost): void {
    if (this.#connections.get(participantId)?.transport !== transport) return;
    this.#leave(participantId);
    this.#options.send({ type: "participant_lost", participantId, reason });
  }

  async #takeOffer({
    id: re,
    participantId,
    sdp,
    tracks,
  }: Extract<ToNode, { type: "participant_offer" }>): Promise<FromNode> {
    const connection = this.#connectionOf(participantId);
    const answer = await connection.takeOffer(sdp, tracks);
    this.#replan();
    return { type: "offer_answered", re, participantId, sdp: answer, tracks: this.#received(connection) };
  }

  async #takeAnswer(message: Extract<ToNode, { type: "participant_answer" }>): Promise<null> {
    const { participantId, sdp, negotiationId } = message;
    const connection = this.#connectionOf(participantId);
    await connection.takeAnswer(sdp, negotiationId);
    this.#replan();
    return null;
  }

  async #update({ participantId, muted, wants }: Extract<ToNode, { type: "participant_update" }>): Promise<void> {
    if (muted) {
      this.#room = model.setMuted(this.#room, participantId, muted);
      await this.#connections.get(participantId)?.setMuted(new Set(muted));
      this.#tellTracks(participantId);
    }
    if (wants) this.#room = model.setWants(this.#room, participantId, wants);
    this.#replan();
  }

  #leave(participantId: string): void {
    const connection = this.#connections.get(participantId);
    this.#connections.delete(participantId);
    clearTimeout(this.#gathering.get(participantId));
    this.#gathering.delete(participantId);
    this.#room = model.leave(this.#room, participantId);
    this.#speakers = speaker.gone(this.#speakers, participantId);
    for (const source of VIDEO_SOURCES) this.#demands.delete(`${participantId}/${source}`);
    connection?.close();
    this.#replan();
  }

  #connectionOf(participantId: string): Connection {
    const connection = this.#connections.get(participantId);
    if (!connection) throw new RoomRefusal("not_in_call", "join the room first");
    return connection;
  }

  #tracksChanged(participantId: string): void {
    const connection = this.#connections.get(participantId);
    if (!connection) return;
    const tracks = new Map<TrackSource, model.SentTrack>();
    for (const [source, producer] of connection.producers) {
      tracks.set(source, { producerId: producer.id, layers: producer.rtpParameters.encodings?.length ?? 1 });
      if (producer.kind === "audio") void this.#levels.follow(participantId, producer.id);
    }
    const before = this.#room.people.get(participantId)?.tracks ?? new Map();
    this.#room = model.setTracks(this.#room, participantId, tracks);
    if (describe(before) !== describe(tracks)) this.#tellTracks(participantId);
  }

  #tellTracks(participantId: string): void {
    const person = this.#room.people.get(participantId);
    if (!person) return;
    const tracks = [...person.tracks.keys()].map((source): RoomTrack => ({ source, muted: person.muted.has(source) }));
    this.#options.send({ type: "participant_tracks", participantId, tracks });
  }

  /** Everybody gets what is planned for them; who has to be offered something is, soon. */
  #replan(): void {
    for (const [participantId, connection] of this.#connections) {
      const plans = model.plansFor(this.#room, participantId);
      // What fails has been closed meanwhile.
      connection.setDownloads(plans).catch(() => {});
      if (connection.isOfferDue) this.#gather(participantId);
      this.#tellDemand(participantId);
    }
  }

  /** Layers that nobody watches are not sent: each participant hears what the others want of it. */
  #tellDemand(participantId: string): void {
    for (const source of VIDEO_SOURCES) {
      if (!this.#room.people.get(participantId)?.tracks.has(source)) continue;
      const demand = model.demand(this.#room, participantId, source);
      const key = `${participantId}/${source}`;
      if ((this.#demands.get(key) ?? Number.POSITIVE_INFINITY) === demand) continue;
      this.#demands.set(key, demand);
      const height = Number.isFinite(demand) ? demand : null;
      this.#options.send({ type: "video_wanted", participantId, source, height });
    }
  }

  #gather(participantId: string): void {
    if (this.#gathering.has(participantId)) return;
    this.#gathering.set(
      participantId,
      setTimeout(() => {
        this.#gathering.delete(participantId);
        void this.#offer(participantId);
      }, GATHER_MS),
    );
  }

  async #offer(participantId: string): Promise<void> {
    const connection = this.#connections.get(participantId);
    try {
      const offer = await connection?.offer();
      if (!connection || !offer) return;
      const { negotiationId, sdp } = offer;
      this.#options.send({ type: "room_offer", participantId, negotiationId, sdp, tracks: this.#received(connection) });
      setTimeout(() => {
        if (connection.isAwaiting(negotiationId)) this.#lost(participantId, connection.transport, "no_answer");
      }, ANSWER_MS).unref();
    } catch (error) {
      if (connection?.transport.closed) return;
      this.#options.log("room_failed", { call: short(this.#options.callId), problem: problem(error) });
    }
  }

  #received(connection: Connection): ReceivedTrack[] {
    return connection.received.flatMap(({ mid, track }) => {
      const [participantId, source] = model.readKey(track);
      return source ? [{ mid, participantId, source }] : [];
    });
  }

  #sample(): void {
    const before = this.#speakers.dominant;
    this.#speakers = speaker.sample(this.#speakers, this.#levels.take());
    const { dominant } = this.#speakers;
    if (dominant === null || dominant === before) return;
    this.#room = model.spoke(this.#room, dominant);
    this.#options.send({ type: "dominant_speaker", participantId: dominant });
    if (this.#room.people.size > this.#room.lastN) this.#replan();
  }
}

function describe(tracks: ReadonlyMap<TrackSource, model.SentTrack>): string {
  return [...tracks.keys()].sort().join(" ");
}
