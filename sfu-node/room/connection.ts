import type { types } from "mediasoup";
import type { RtpCapabilities } from "mediasoup-client/types";
import type { MediaDescription } from "sdp-transform";
import type { SentTrack, TrackSource } from "../../schema/room.ts";
import { receiveCapabilities } from "./capabilities.ts";
import { type Description, readDescription, type Section } from "./description.ts";
import { downloadMedia, probatorMedia } from "./download.ts";
import { type Line, offered, place, type Track } from "./lines.ts";
import { isAtPeace, type Numbers } from "./numbers.ts";
import { Producers } from "./producers.ts";
import { Queue } from "./queue.ts";
import { RoomRefusal } from "./refusal.ts";
import { asInactive, renumbered, type Upload, uploadOf } from "./upload.ts";
import { refused, type Setup, type TransportDescription, writeDescription } from "./write.ts";

/** Somebody's track that this participant may be sent. */
export interface Download extends Track {
  readonly producerId: string;
  /** The `a=msid` of the m-section: whose it is, and what. */
  readonly participantId: string;
  readonly source: TrackSource;
}

/** How a track is forwarded to one receiver. */
export interface Forwarding {
  readonly isPaused: boolean;
  /** Of a simulcast track: the largest layer that is wanted, from 0. */
  readonly layer: number;
  readonly priority: number;
}

export interface SfuOffer {
  readonly negotiationId: number;
  readonly sdp: string;
}

/** The SFU's offer that the client has not answered. */
interface Pending {
  readonly negotiationId: number;
  /** The lines as the client knows them, if it ignores the offer. */
  readonly before: readonly Line[];
}

export interface ConnectionOptions {
  readonly transport: types.WebRtcTransport;
  readonly capabilities: RtpCapabilities;
  readonly numbers: Numbers;
  readonly onTracks: () => void;
}

/**
 * The one `RTCPeerConnection` of a participant, seen from the SFU: descriptions in and out, and what of mediasoup
 * follows from them. Offers collide as in perfect negotiation (W3C WebRTC, section 10.7): the SFU is the polite side.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #producers: Producers;
  readonly #consumers = new Map<string, types.Consumer>();
  /** Tracks whose m-section the client has accepted: before that, what is sent to it is lost. */
  readonly #accepted = new Set<string>();
  /** Tracks that the client has refused, or cannot decode. */
  readonly #refused = new Set<string>();
  /** The SFU's side of each m-section, and the client's, by mid. */
  readonly #ours = new Map<string, MediaDescription>();
  readonly #theirs = new Map<string, Section>();
  readonly #queue = new Queue();
  #lines: readonly Line[] = [];
  #pending: Pending | null = null;
  #receives: types.RtpCapabilities = { codecs: [], headerExtensions: [] };
  #downloads: readonly Download[] = [];
  #forwarding: ReadonlyMap<string, Forwarding> = new Map();
  #peer: Description | null = null;
  #setup: Setup = "passive";
  #versions = 0;
  #negotiations = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#producers = new Producers(options.transport);
  }

  get transport(): types.WebRtcTransport {
    return this.#options.transport;
  }

  /** What the client sends now, by its source. */
  get producers(): ReadonlyMap<TrackSource, types.Producer> {
    return this.#producers.bySource;
  }

  get consumers(): ReadonlyMap<string, types.Consumer> {
    return this.#consumers;
  }

  /** Which track each of the SFU's m-sections carries. */
  get received(): readonly { readonly mid: string; readonly track: string }[] {
    return this.#lines.flatMap(({ mid, use }) => (use.type === "download" ? [{ mid, track: use.track }] : []));
  }

  /** What the client may be sent; an offer makes it so. */
  setDownloads(downloads: readonly Download[]): void {
    this.#downloads = downloads;
    const keys = new Set(downloads.map(({ key }) => key));
    for (const key of this.#refused) if (!keys.has(key)) this.#refused.delete(key);
  }

  async setForwarding(forwarding: ReadonlyMap<string, Forwarding>): Promise<void> {
    this.#forwarding = forwarding;
    await Promise.all([...this.#consumers].map(([key, consumer]) => this.#forward(key, consumer)));
  }

  async setMuted(muted: ReadonlySet<TrackSource>): Promise<void> {
    await this.#producers.setMuted(muted);
  }

  /** Whether the client has to be offered something that it does not know. */
  get isOfferNeeded(): boolean {
    const { added, removed } = place(this.#lines, this.#wanted(), false);
    return added.length + removed.length > 0 || this.#lines.some(isRenumbering);
  }

  get isOffering(): boolean {
    return this.#pending !== null;
  }

  /** @throws RoomRefusal, and nothing has changed */
  takeOffer(sdp: string, sent: readonly SentTrack[]): Promise<string> {
    return this.#queue.run(() => this.#takeOffer(readDescription(sdp), sent));
  }

  /** @throws RoomRefusal, and nothing has changed */
  takeAnswer(sdp: string, negotiationId: number | undefined): Promise<void> {
    return this.#queue.run(() => this.#takeAnswer(readDescription(sdp), negotiationId));
  }

  /** @returns null if there is nothing to offer, or an offer is under way */
  offer(): Promise<SfuOffer | null> {
    return this.#queue.run(async () => (this.#pending || !this.isOfferNeeded ? null : await this.#offer()));
  }

  close(): void {
    this.transport.close();
  }

  async #takeOffer(description: Description, sent: readonly SentTrack[]): Promise<string> {
    this.#requireSamePeer(description);
    const known = this.#pending?.before ?? this.#lines;
    const sections = description.sections.map((section) => ({ ...section, isSending: isSending(section) }));
    const lines = offered(known, sections, sent).map((line, index) => this.#upload(line, description.sections[index]));
    await this.#connect(description);
    await this.#producers.replace(
      lines.flatMap(({ source, upload }) => (upload && source ? [{ source, upload }] : [])),
    );
    this.#rollBack();
    this.#lines = lines.map(({ line }) => line);
    for (const section of description.sections) this.#theirs.set(section.mid, section);
    for (const { line, media } of lines) if (media) this.#ours.set(line.mid, media);
    this.#receives = receiveCapabilities(description.sections, this.#options.capabilities);
    this.#options.onTracks();
    return this.#write(this.#setup);
  }

  /** What becomes of a line that the client has offered. */
  #upload(line: Line, section: Section | undefined): OfferedLine {
    const { kind, use } = line;
    if (!section || use.type === "download" || use.type === "probator") return { line };
    if (kind === null || use.type === "refused") return { line, media: refused(section.media) };
    const upload = uploadOf(section, kind, this.#options.capabilities);
    if (!upload) return { line: { ...line, use: { type: "idle" } }, media: asInactive(section.media) };
    if (use.type === "idle") return { line, media: asInactive(upload.media) };
    if (isAtPeace(upload.rtpParameters, this.#options.numbers)) {
      const live: Line = { ...line, use: { ...use, isRenumbering: false } };
      return { line: live, media: upload.media, source: use.source, upload };
    }
    return { line: { ...line, use: { ...use, isRenumbering: true } }, media: asInactive(upload.media) };
  }

  async #takeAnswer(description: Description, negotiationId: number | undefined): Promise<void> {
    if (!this.#pending) throw new RoomRefusal("bad_message", "there is no offer that this could answer");
    if (negotiationId !== undefined && negotiationId !== this.#pending.negotiationId) {
      throw new RoomRefusal("bad_message", "negotiationId: that offer is over");
    }
    this.#requireSamePeer(description);
    const { sections } = description;
    const isFitting =
      sections.length === this.#lines.length && this.#lines.every(({ mid }, i) => sections[i]?.mid === mid);
    if (!isFitting) throw new RoomRefusal("bad_message", "sdp: the m-sections are not those of the offer");
    const lines = this.#lines.map((line, index) => this.#answered(line, sections[index]));
    await this.#producers.replace(
      lines.flatMap(({ source, upload }) => (upload && source ? [{ source, upload }] : [])),
    );
    this.#pending = null;
    this.#lines = lines.map(({ line }) => line);
    for (const section of sections) this.#theirs.set(section.mid, section);
    await Promise.all([...this.#consumers].map(([key, consumer]) => this.#forward(key, consumer)));
    this.#options.onTracks();
  }

  /** What becomes of a line that the client has answered. */
  #answered(line: Line, section: Section | undefined): OfferedLine {
    const { kind, use } = line;
    if (!section || kind === null) return { line };
    switch (use.type) {
      case "refused":
      case "idle":
      case "probator":
        return { line };
      case "download":
        if (isReceiving(section)) this.#accepted.add(use.track);
        else this.#drop(use.track);
        return isReceiving(section) ? { line } : this.#idle(line);
      case "upload": {
        const upload = isSending(section) ? uploadOf(section, kind, this.#options.capabilities) : null;
        if (!upload || !isAtPeace(upload.rtpParameters, this.#options.numbers)) return this.#idle(line);
        return { line: { ...line, use: { ...use, isRenumbering: false } }, source: use.source, upload };
      }
    }
  }

  #idle(line: Line): OfferedLine {
    const media = this.#ours.get(line.mid);
    if (media) this.#ours.set(line.mid, asInactive(media));
    return { line: { ...line, use: { type: "idle" } } };
  }

  async #offer(): Promise<SfuOffer> {
    const before = this.#lines;
    const { lines, added, removed } = place(before, this.#wanted(), this.#isEstimating);
    for (const { mid, track } of removed) {
      this.#forget(track);
      this.#ours.set(mid, asInactive(this.#side(mid)));
    }
    const made = await Promise.all(added.map(({ mid, track }) => this.#consume(mid, track)));
    const failed = new Set(added.flatMap(({ mid }, index) => (made[index] ? [] : [mid])));
    this.#lines = lines
      .filter(({ mid }) => !failed.has(mid) || this.#ours.has(mid))
      .map((line) => {
        return failed.has(line.mid) ? { ...line, use: { type: "idle" } } : line;
      });
    for (const line of this.#lines) this.#renumber(line);
    this.#negotiations += 1;
    this.#pending = { negotiationId: this.#negotiations, before };
    return { negotiationId: this.#negotiations, sdp: this.#write("actpass") };
  }

  #renumber(line: Line): void {
    const { mid, kind } = line;
    if (line.use.type === "probator") this.#ours.set(mid, probatorMedia());
    if (kind === null || !isRenumbering(line)) return;
    const theirs = this.#theirs.get(mid);
    if (theirs) this.#ours.set(mid, renumbered(theirs, kind, this.#options.capabilities));
  }

  /** A consumer that starts paused: the client does not know the m-section yet. */
  async #consume(mid: string, key: string): Promise<boolean> {
    const download = this.#downloads.find((one) => one.key === key);
    if (!download) return false;
    const { producerId, participantId, source } = download;
    try {
      const rtpCapabilities = this.#receives;
      const consumer = await this.transport.consume({ producerId, rtpCapabilities, paused: true, mid });
      this.#consumers.set(key, consumer);
      consumer.on("producerclose", () => this.#consumers.get(key) === consumer && this.#consumers.delete(key));
      this.#ours.set(mid, downloadMedia(mid, consumer, participantId, source));
      return true;
    } catch {
      // The producer has gone meanwhile, or the client cannot decode what it sends.
      this.#refused.add(key);
      return false;
    }
  }

  #wanted(): Download[] {
    return this.#downloads.filter(({ key }) => !this.#refused.has(key));
  }

  async #forward(key: string, consumer: types.Consumer): Promise<void> {
    const wish = this.#forwarding.get(key);
    if (consumer.closed) return;
    if (!this.#accepted.has(key) || !wish || wish.isPaused) {
      if (!consumer.paused) await consumer.pause();
      return;
    }
    if (consumer.kind === "video") {
      await consumer.setPriority(wish.priority);
      if (consumer.type === "simulcast") await consumer.setPreferredLayers({ spatialLayer: wish.layer });
    }
    if (consumer.paused) await consumer.resume();
  }

  /** The client refuses the track's m-section: it is not asked again. */
  #drop(track: string): void {
    this.#refused.add(track);
    this.#forget(track);
  }

  #forget(track: string): void {
    this.#consumers.get(track)?.close();
    this.#consumers.delete(track);
    this.#accepted.delete(track);
  }

  /** The client has an offer of its own and ignores ours: what only ours knew is not there. */
  #rollBack(): void {
    if (!this.#pending) return;
    const known = new Set(this.#pending.before.flatMap(({ use }) => (use.type === "download" ? [use.track] : [])));
    for (const key of [...this.#consumers.keys()]) if (!known.has(key)) this.#forget(key);
    this.#pending = null;
  }

  async #connect(description: Description): Promise<void> {
    if (this.#peer) {
      if (this.#peer.ice.usernameFragment !== description.ice.usernameFragment) await this.transport.restartIce();
      this.#peer = description;
      return;
    }
    // RFC 8842, section 5.3: who may choose lets the client begin, whose address is the one that is not known.
    const role = description.dtls.role === "server" ? "server" : "client";
    this.#setup = role === "server" ? "active" : "passive";
    await this.transport.connect({ dtlsParameters: { ...description.dtls, role } });
    this.#peer = description;
  }

  #requireSamePeer({ dtls }: Description): void {
    const before = this.#peer?.dtls.fingerprints;
    const isSame = !before || JSON.stringify(before) === JSON.stringify(dtls.fingerprints);
    if (!isSame) throw new RoomRefusal("bad_message", "sdp: a=fingerprint is another than before: join anew");
  }

  /** Bandwidth is estimated from transport-wide feedback, where the client gives it. */
  get #isEstimating(): boolean {
    return (this.#receives.headerExtensions ?? []).some(
      ({ kind, uri }) => kind === "video" && uri.endsWith("wide-cc-extensions-01"),
    );
  }

  #side(mid: string): MediaDescription {
    const media = this.#ours.get(mid);
    if (!media) throw new Error(`the line ${mid} was never described`);
    return media;
  }

  #write(setup: Setup): string {
    this.#versions += 1;
    const transport: TransportDescription = this.transport;
    const sections = this.#lines.map(({ mid }) => this.#side(mid));
    return writeDescription(sections, transport, setup, this.#versions);
  }
}

interface OfferedLine {
  readonly line: Line;
  readonly media?: MediaDescription;
  readonly source?: TrackSource;
  readonly upload?: Upload;
}

function isRenumbering({ use }: Line): boolean {
  return use.type === "upload" && use.isRenumbering;
}

function isSending({ direction }: Section): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

function isReceiving({ direction }: Section): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}
