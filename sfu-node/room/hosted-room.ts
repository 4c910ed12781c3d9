import type { types } from "mediasoup";
import type { ReceivedTrack, RoomTrack, TrackSource } from "../../schema/room.ts";
import type { FromNode, ToNode } from "../../schema/room-socket.ts";
import { type Log, problem, short } from "../log.ts";
import type { MediaWorker } from "../workers.ts";
import { AudioLevels } from "./audio-levels.ts";
import { roomCapabilities } from "./capabilities.ts";
import { MEDIA_CODECS } from "./codecs.ts";
import { Connection } from "./connection.ts";
import { numbersOf } from "./numbers.ts";
import type { Terms } from "./offered.ts";
import { Offers } from "./offers.ts";
import { Pipes } from "./pipes.ts";
import { RoomRefusal } from "./refusal.ts";
import * as model from "./room.ts";
import { VideoDemand } from "./video-demand.ts";

export interface RoomOptions {
  readonly callId: string;
  readonly mediaWorker: MediaWorker;
  /** Where pipes to other nodes listen, and the address that those are told. */
  readonly pipeListenInfo: types.TransportListenInfo;
  readonly announcedAddress: string;
  readonly lastN: number;
  readonly send: (message: FromNode) => void;
  readonly log: Log;
}

/** In bits a second, until more is measured: enough for a picture at once. */
const FIRST_BITRATE = 1_000_000;

type Lost = Extract<FromNode, { type: "participant_lost" }>["reason"];
type Of<T extends ToNode["type"]> = Extract<ToNode, { type: T }>;

/** One room on this node: the shell around `room.ts`, which says who gets what, and around mediasoup, which sends it. */
export class HostedRoom {
  readonly #options: RoomOptions;
  readonly #router: types.Router;
  readonly #terms: Terms;
  readonly #offers: Offers;
  readonly #pipes: Pipes;
  readonly #levels: AudioLevels;
  readonly #connections = new Map<string, Connection>();
  readonly #demand: VideoDemand;
  #room: model.Room;

  private constructor(options: RoomOptions, router: types.Router, levels: AudioLevels) {
    this.#options = options;
    this.#router = router;
    const capabilities = roomCapabilities(router.rtpCapabilities);
    this.#terms = { capabilities, numbers: numbersOf(capabilities) };
    this.#room = model.createRoom(options.lastN);
    this.#demand = new VideoDemand(options.send);
    this.#levels = levels;
    this.#pipes = new Pipes({
      ...options,
      router,
      listenInfo: options.pipeListenInfo,
      onTracks: (id) => this.#arrived(id),
    });
    this.#offers = new Offers({
      send: (participantId, { negotiationId, sdp }, connection) => {
        const tracks = this.#received(connection);
        options.send({ type: "room_offer", participantId, negotiationId, sdp, tracks });
      },
      onNoAnswer: (participantId, { transport }) => this.#lost(participantId, transport, "no_answer"),
      onFailure: (error) => this.#failed(error),
    });
    router.observer.once("close", () => this.close());
  }

  static async open(options: RoomOptions): Promise<HostedRoom> {
    const router = await options.mediaWorker.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    try {
      const levels = await AudioLevels.open(router, (participantId) => room.#spoke(participantId));
      const room = new HostedRoom(options, router, levels);
      return room;
    } catch (error) {
      router.close();
      throw error;
    }
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
        return this.#try(() => this.#update(message));
      case "participant_leave":
        return this.#leave(message.participantId);
      case "room_probe":
        return this.#options.send({ type: "room_alive", re: message.id });
      case "pipe_open":
        return this.#try(() => this.#pipes.open(message.peerNodeId));
      case "pipe_connect":
        return this.#try(() => this.#pipes.connect(message.peerNodeId, message.address));
      case "pipe_close":
        return this.#pipes.close(message.peerNodeId);
      case "pipe_track":
        return this.#try(() => this.#pipes.receive(message));
      case "pipe_track_changed":
        return this.#try(() => this.#pipes.change(message));
    }
  }

  /** All that a new socket to the edge has to know. */
  tellAll(): void {
    for (const participantId of this.#connections.keys()) this.#tellTracks(participantId);
    const [dominant] = this.#room.speakers;
    if (dominant !== undefined) this.#options.send({ type: "dominant_speaker", participantId: dominant });
  }

  close(): void {
    this.#levels.close();
    for (const connection of this.#connections.values()) this.#offers.forget(connection);
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
      if (refusal !== error) this.#failed(error);
      this.#options.send({ type: "room_error", re, participantId, code: refusal.code, message: refusal.message });
    }
  }

  async #try(act: () => Promise<void>): Promise<void> {
    await act().catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    this.#options.log("room_failed", { call: short(this.#options.callId), problem: problem(error) });
  }

  async #join({ id: re, participantId, sdp, tracks, muted }: Of<"participant_join">): Promise<FromNode> {
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
      initialAvailableOutgoingBitrate: FIRST_BITRATE,
    });
    transport.on("icestatechange", (state) => state === "disconnected" && this.#lost(participantId, transport, "ice"));
    transport.on("dtlsstatechange", (state) => {
      if (state === "failed" || state === "closed") this.#lost(participantId, transport, "dtls");
    });
    return new Connection({ ...this.#terms, transport, onTracks: () => this.#tracksChanged(participantId) });
  }

  #lost(participantId: string, transport: types.WebRtcTransport, reason: Lost): void {
    if (this.#connections.get(participantId)?.transport !== transport) return;
    this.#leave(participantId);
    this.#options.send({ type: "participant_lost", participantId, reason });
  }

  async #takeOffer({ id: re, participantId, sdp, tracks }: Of<"participant_offer">): Promise<FromNode> {
    const connection = this.#connectionOf(participantId);
    try {
      const answer = await connection.takeOffer(sdp, tracks);
      return { type: "offer_answered", re, participantId, sdp: answer, tracks: this.#received(connection) };
    } finally {
      this.#replan();
    }
  }

  async #takeAnswer({ participantId, sdp, negotiationId }: Of<"participant_answer">): Promise<null> {
    try {
      await this.#connectionOf(participantId).takeAnswer(sdp, negotiationId);
      return null;
    } finally {
      this.#replan();
    }
  }

  async #update({ participantId, muted, wants }: Of<"participant_update">): Promise<void> {
    if (muted) await this.#mute(participantId, new Set(muted));
    if (wants) this.#room = model.setWants(this.#room, participantId, wants);
    this.#replan();
  }

  async #mute(participantId: string, muted: ReadonlySet<TrackSource>): Promise<void> {
    const connection = this.#connections.get(participantId);
    this.#room = model.setMuted(this.#room, participantId, [...muted]);
    await connection?.setMuted(muted);
    for (const source of connection?.producers.keys() ?? []) {
      this.#pipes.tellMuted(participantId, source, muted.has(source));
    }
    this.#tellTracks(participantId);
  }

  #leave(participantId: string): void {
    const connection = this.#connections.get(participantId);
    this.#connections.delete(participantId);
    if (connection) this.#offers.forget(connection);
    this.#room = model.leave(this.#room, participantId);
    this.#levels.gone(participantId);
    this.#demand.forget(participantId);
    connection?.close();
    void this.#cross();
    this.#replan();
  }

  #connectionOf(participantId: string): Connection {
    const connection = this.#connections.get(participantId);
    if (!connection) throw new RoomRefusal("not_in_call", "join the room first");
    return connection;
  }

  /** Somebody here sends something else than before. */
  #tracksChanged(participantId: string): void {
    const connection = this.#connections.get(participantId);
    if (!connection) return;
    const before = this.#room.people.get(participantId)?.tracks;
    this.#take(participantId, connection.producers);
    void this.#cross();
    const tracks = this.#room.people.get(participantId)?.tracks;
    if ([...(before?.keys() ?? [])].join() !== [...(tracks?.keys() ?? [])].join()) this.#tellTracks(participantId);
  }

  /** Somebody on another node sends something else than before. */
  #arrived(participantId: string): void {
    const producers = this.#pipes.producersOf(participantId);
    if (!producers) this.#room = model.leave(this.#room, participantId);
    else {
      const muted = [...producers].flatMap(([source, producer]) => (producer.paused ? [source] : []));
      this.#room = model.join(this.#room, participantId, muted);
      this.#take(participantId, producers);
    }
    this.#replan();
  }

  #take(participantId: string, producers: ReadonlyMap<TrackSource, types.Producer>): void {
    const tracks = new Map<TrackSource, model.SentTrack>();
    for (const [source, producer] of producers) {
      tracks.set(source, { producerId: producer.id, layers: producer.rtpParameters.encodings?.length ?? 1 });
      if (producer.kind === "audio") void this.#levels.follow(participantId, producer);
    }
    this.#room = model.setTracks(this.#room, participantId, tracks);
  }

  /** What is sent here is sent to the other nodes of the room. */
  async #cross(): Promise<void> {
    const outgoing = [...this.#connections].flatMap(([participantId, { producers }]) =>
      [...producers].map(([source, producer]) => ({ participantId, source, producer })),
    );
    await this.#try(() => this.#pipes.setOutgoing(outgoing));
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
      // What fails has been closed meanwhile.
      connection.setDownloads(model.plansFor(this.#room, participantId)).catch(() => {});
      this.#offers.consider(participantId, connection);
      this.#demand.tell(this.#room, participantId, !this.#pipes.isEmpty);
    }
  }

  #received(connection: Connection): ReceivedTrack[] {
    return connection.received.flatMap(({ mid, track }) => {
      const [participantId, source] = model.readKey(track);
      return source ? [{ mid, participantId, source }] : [];
    });
  }

  /** Packets of somebody who has left may still come. */
  #spoke(participantId: string): void {
    if (!this.#room.people.has(participantId)) return;
    this.#room = model.spoke(this.#room, participantId);
    this.#options.send({ type: "dominant_speaker", participantId });
    if (this.#room.people.size > this.#room.lastN) this.#replan();
  }
}
