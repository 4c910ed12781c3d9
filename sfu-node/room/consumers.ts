import { setImmediate as nextTurn } from "node:timers/promises";
import type { types } from "mediasoup";
import type { MediaDescription } from "sdp-transform";
import type { TrackSource } from "../../schema/room.ts";
import { downloadMedia } from "./download.ts";
import type { Track } from "./lines.ts";

/** Somebody's track that this participant may be sent. */
export interface Download extends Track {
  readonly producerId: string;
  /** The `a=msid` of the m-section: whose it is, and what. */
  readonly participantId: string;
  readonly source: TrackSource;
  readonly isPaused: boolean;
  /** Of a simulcast track: the largest layer that is wanted, from 0. */
  readonly layer: number;
  /** 1 to 255. */
  readonly priority: number;
}

/** What one participant is sent: a consumer for each track. */
export class Consumers {
  readonly #transport: types.WebRtcTransport;
  readonly #made = new Map<string, types.Consumer>();
  /** Tracks whose m-section the client has accepted: before that, what is sent to it is lost. */
  readonly #accepted = new Set<string>();
  /** Tracks that the client has refused, or cannot decode. */
  readonly #refused = new Set<string>();
  #downloads: readonly Download[] = [];

  constructor(transport: types.WebRtcTransport) {
    this.#transport = transport;
  }

  /** What the client should have a line for. */
  get wanted(): Download[] {
    return this.#downloads.filter(({ key }) => !this.#refused.has(key));
  }

  async setDownloads(downloads: readonly Download[]): Promise<void> {
    this.#downloads = downloads;
    const keys = new Set(downloads.map(({ key }) => key));
    for (const key of this.#refused) if (!keys.has(key)) this.#refused.delete(key);
    await this.forward();
  }

  /**
   * A consumer that starts paused: the client does not know the m-section yet.
   * @returns the m-section; null if the track has gone meanwhile, or the client cannot decode it
   */
  async make(mid: string, key: string, rtpCapabilities: types.RtpCapabilities): Promise<MediaDescription | null> {
    const download = this.#downloads.find((one) => one.key === key);
    if (!download) return null;
    const { producerId, participantId, source, kind } = download;
    // mediasoup does not look at the kind of an extension: what a client knows of video it would get with audio.
    const headerExtensions = rtpCapabilities.headerExtensions?.filter((extension) => extension.kind === kind) ?? [];
    try {
      const capabilities = { ...rtpCapabilities, headerExtensions };
      const consumer = await this.#transport.consume({ producerId, rtpCapabilities: capabilities, paused: true, mid });
      this.#made.set(key, consumer);
      consumer.on("producerclose", () => this.#made.get(key) === consumer && this.forget(key));
      return downloadMedia(mid, consumer, participantId, source);
    } catch {
      this.#refused.add(key);
      return null;
    }
  }

  has(key: string): boolean {
    return this.#made.has(key);
  }

  accept(key: string): void {
    this.#accepted.add(key);
  }

  /** The client has refused the track's m-section: it is not asked again. */
  refuse(key: string): void {
    this.#refused.add(key);
    this.forget(key);
  }

  /** The client has changed its mind, maybe. */
  pardon(): void {
    this.#refused.clear();
  }

  forget(key: string): void {
    this.#made.get(key)?.close();
    this.#made.delete(key);
    this.#accepted.delete(key);
  }

  /** Lets go of all but these. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of [...this.#made.keys()]) if (!keys.has(key)) this.forget(key);
  }

  /** Sends what is wanted of what was accepted, and nothing else. */
  async forward(): Promise<void> {
    const plans = new Map(this.#downloads.map((download) => [download.key, download]));
    await Promise.all(
      [...this.#made].map(async ([key, consumer]) => {
        try {
          await this.#apply(key, consumer, plans.get(key));
        } catch (error) {
          // Who sends it may leave at any time. mediasoup tells so one turn after what its worker answered.
          await nextTurn();
          if (!consumer.closed) throw error;
        }
      }),
    );
  }

  async #apply(key: string, consumer: types.Consumer, plan: Download | undefined): Promise<void> {
    if (consumer.closed) return;
    if (!plan || plan.isPaused || !this.#accepted.has(key)) {
      if (!consumer.paused) await consumer.pause();
      return;
    }
    if (consumer.kind === "video" && consumer.priority !== plan.priority) await consumer.setPriority(plan.priority);
    if (consumer.type === "simulcast" && consumer.preferredLayers?.spatialLayer !== plan.layer) {
      await consumer.setPreferredLayers({ spatialLayer: plan.layer });
    }
    if (consumer.paused) await consumer.resume();
  }
}
