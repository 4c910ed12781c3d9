import type { QualitySample } from "../../client/quality.ts";
import type { RoomOffer, RoomPath, RoomPeer, RoomPeerOptions } from "../../client/room/room-peer.ts";
import type { Sources } from "../../client/room/sending.ts";
import type { SentTrack, TrackSource } from "../../schema/room.ts";
import { FakeTrack } from "./fake-media.ts";

const MIDS: readonly TrackSource[] = ["camera", "microphone", "screen", "screen_audio"];

/** A connection to a room without media: it remembers what it was told, and a test says what comes in. */
export class FakeRoomPeer implements RoomPeer {
  readonly told: string[] = [];
  isClosed = false;
  readonly #options: RoomPeerOptions;
  readonly #incoming = new Map<string, FakeTrack>();
  /** Camera and microphone keep their m-line when they are off. */
  readonly #lines = new Set<TrackSource>();
  #offers = 0;
  #wake: () => void = () => {};

  constructor(options: RoomPeerOptions) {
    this.#options = options;
  }

  async publish(tracks: Sources<MediaStreamTrack | null>): Promise<void> {
    const sent = MIDS.filter((source) => tracks[source] !== null);
    const added = sent.filter((source) => !this.#lines.has(source));
    const removed = [...this.#lines].filter((source) => source.startsWith("screen") && !sent.includes(source));
    for (const source of added) this.#lines.add(source);
    for (const source of removed) this.#lines.delete(source);
    this.#tell(`sends ${sent.join(" and ")}`);
    if (this.#offers > 0 && added.length + removed.length > 0) this.#options.events.negotiationNeeded();
  }

  async offer(): Promise<RoomOffer> {
    this.#offers += 1;
    const tracks = [...this.#lines].map((source): SentTrack => ({ mid: source, source }));
    return { sdp: `offer ${this.#offers}`, tracks };
  }

  async takeAnswer(sdp: string): Promise<void> {
    this.#tell(`took ${sdp}`);
  }

  async answer(sdp: string): Promise<string> {
    this.#tell(`answered ${sdp}`);
    return `answer to ${sdp}`;
  }

  async limit(source: string, height: number | null): Promise<void> {
    this.#tell(`${source} up to ${height}`);
  }

  track(mid: string): MediaStreamTrack | null {
    return this.#incoming.get(mid) ?? null;
  }

  async sample(): Promise<QualitySample> {
    return { received: 100, lost: 0, peerLoss: 0, rttMs: 20 };
  }

  stats(): Promise<RTCStatsReport> {
    throw new Error("there is no media here");
  }

  close(): void {
    this.isClosed = true;
    this.#tell("closed");
  }

  path(state: RoomPath): void {
    this.#options.events.path(state);
  }

  /** The first packet on an m-line. */
  flows(mid: string, kind: FakeTrack["kind"]): FakeTrack {
    const track = new FakeTrack(kind);
    this.#incoming.set(mid, track);
    this.#options.events.remoteChanged();
    return track;
  }

  /** Resolves once the room has told this connection so. */
  async heard(what: string): Promise<void> {
    while (!this.told.includes(what)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#wake();
  }
}
