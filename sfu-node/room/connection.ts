import type { types } from "mediasoup";
import type { MediaDescription } from "sdp-transform";
import type { SentTrack, TrackSource } from "../../schema/room.ts";
import { receiveCapabilities } from "./capabilities.ts";
import { Consumers, type Download } from "./consumers.ts";
import { type Description, readDescription, type Section } from "./description.ts";
import { probatorMedia } from "./download.ts";
import { type Line, offered, place } from "./lines.ts";
import { isSending, type Settled, settleAnswered, settleOffered, type Terms } from "./offered.ts";
import { Producers } from "./producers.ts";
import { Queue } from "./queue.ts";
import { RoomRefusal } from "./refusal.ts";
import { asInactive, renumbered, within } from "./upload.ts";
import { type Setup, writeDescription } from "./write.ts";

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

export interface ConnectionOptions extends Terms {
  readonly transport: types.WebRtcTransport;
  readonly onTracks: () => void;
}

/**
 * The one `RTCPeerConnection` of a participant, seen from the SFU: descriptions in and out, and what of mediasoup
 * follows from them. Offers collide as in perfect negotiation (W3C WebRTC, section 10.7): the SFU is the polite side.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #producers: Producers;
  readonly #consumers: Consumers;
  /** The SFU's side of each m-section, and the client's, by mid. */
  readonly #ours = new Map<string, MediaDescription>();
  readonly #theirs = new Map<string, Section>();
  readonly #queue = new Queue();
  #lines: readonly Line[] = [];
  #pending: Pending | null = null;
  #receives: types.RtpCapabilities = { codecs: [], headerExtensions: [] };
  #peer: Description | null = null;
  #setup: Setup = "passive";
  #versions = 0;
  #negotiations = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#producers = new Producers(options.transport);
    this.#consumers = new Consumers(options.transport);
  }

  get transport(): types.WebRtcTransport {
    return this.#options.transport;
  }

  /** What the client sends now, by its source. */
  get producers(): ReadonlyMap<TrackSource, types.Producer> {
    return this.#producers.bySource;
  }

  /** Which track each of the SFU's m-sections carries. */
  get received(): readonly { readonly mid: string; readonly track: string }[] {
    return this.#lines.flatMap(({ mid, use }) => (use.type === "download" ? [{ mid, track: use.track }] : []));
  }

  /** What the client may be sent; of tracks that it does not know it has to be made an offer. */
  async setDownloads(downloads: readonly Download[]): Promise<void> {
    await this.#consumers.setDownloads(downloads);
  }

  async setMuted(muted: ReadonlySet<TrackSource>): Promise<void> {
    await this.#producers.setMuted(muted);
  }

  /** Whether the client has to be offered something that it does not know, and can be. */
  get isOfferDue(): boolean {
    return this.#pending === null && this.#isOfferNeeded;
  }

  /** @throws RoomRefusal, and the connection goes on as it was */
  takeOffer(sdp: string, sent: readonly SentTrack[]): Promise<string> {
    return this.#queue.run(() => this.#takeOffer(readDescription(sdp), sent));
  }

  /** @throws RoomRefusal, and the connection goes on as it was */
  takeAnswer(sdp: string, negotiationId: number | undefined): Promise<void> {
    return this.#queue.run(() => this.#takeAnswer(readDescription(sdp), negotiationId));
  }

  /** @returns null if there is nothing to offer, or an offer is under way */
  offer(): Promise<SfuOffer | null> {
    return this.#queue.run(async () => (this.isOfferDue ? this.#offer() : null));
  }

  isAwaiting(negotiationId: number): boolean {
    return this.#pending?.negotiationId === negotiationId;
  }

  close(): void {
    this.transport.close();
  }

  get #isOfferNeeded(): boolean {
    const { added, removed } = place(this.#lines, this.#consumers.wanted, false);
    return added.length + removed.length > 0 || this.#lines.some(isRenumbering);
  }

  /** The lines as the client knows them; what came on some may have gone since. */
  get #known(): readonly Line[] {
    return (this.#pending?.before ?? this.#lines).map((line) => {
      const isGone = line.use.type === "download" && !this.#consumers.has(line.use.track);
      return isGone ? { ...line, use: { type: "idle" } } : line;
    });
  }

  async #takeOffer(description: Description, sent: readonly SentTrack[]): Promise<string> {
    this.#requireSamePeer(description);
    const { sections } = description;
    const lines = offered(
      this.#known,
      sections.map((section) => ({ ...section, isSending: isSending(section) })),
      sent,
    );
    const settled = this.#settle(lines, sections, settleOffered);
    const receives = receiveCapabilities(sections, this.#options.capabilities);
    if (!this.#peer) requireSomeUse(settled);
    await this.#produce(settled);
    await this.#connect(description);
    this.#rollBack();
    this.#consumers.pardon();
    this.#receives = receives;
    this.#become(settled, sections, this.#lines);
    for (const { mid, media } of sections) this.#ours.set(mid, within(media, this.#side(mid)));
    return this.#write(this.#setup);
  }

  async #takeAnswer(description: Description, negotiationId: number | undefined): Promise<void> {
    if (!this.#pending) throw new RoomRefusal("bad_message", "there is no offer that this could answer");
    if (negotiationId !== undefined && !this.isAwaiting(negotiationId)) {
      throw new RoomRefusal("bad_message", "negotiationId: that offer is over");
    }
    this.#requireSamePeer(description);
    const { sections } = description;
    const isFitting =
      sections.length === this.#lines.length && this.#lines.every(({ mid }, at) => sections[at]?.mid === mid);
    if (!isFitting) throw new RoomRefusal("bad_message", "sdp: the m-sections are not those of the offer");
    const settled = this.#settle(this.#lines, sections, settleAnswered);
    const { before } = this.#pending;
    await this.#produce(settled);
    this.#pending = null;
    this.#become(settled, sections, before);
    for (const { track } of this.received) this.#consumers.accept(track);
    await this.#consumers.forward();
  }

  /** @throws RoomRefusal, and what was sent before is, if by other producers */
  async #produce(settled: readonly Settled[]): Promise<void> {
    try {
      await this.#producers.replace(settled.flatMap(({ sent }) => sent ?? []));
    } catch (error) {
      this.#options.onTracks();
      throw error;
    }
  }

  #settle(
    lines: readonly Line[],
    sections: readonly Section[],
    how: (line: Line, section: Section, terms: Terms) => Settled,
  ): readonly Settled[] {
    return lines.map((line, index) => {
      const section = sections[index];
      return section ? how(line, section, this.#options) : { line };
    });
  }

  /** @param known the lines as the client knew them before */
  #become(settled: readonly Settled[], sections: readonly Section[], known: readonly Line[]): void {
    const before = this.#lines;
    this.#lines = settled.map(({ line }) => line);
    for (const section of sections) this.#theirs.set(section.mid, section);
    for (const [index, { line, media }] of settled.entries()) {
      const use = before[index]?.use;
      if (media) this.#ours.set(line.mid, media);
      else if (line.use.type === "idle" && use?.type !== "idle") this.#silence(line.mid);
      // Who stops a line that was idle does not know what is offered on it.
      const isStopped = line.use.type === "refused" && known[index]?.use.type === "idle";
      if (use?.type === "download" && isUnused(line) && !isStopped) this.#consumers.refuse(use.track);
    }
    this.#consumers.keep(new Set(this.received.map(({ track }) => track)));
    this.#options.onTracks();
  }

  async #offer(): Promise<SfuOffer> {
    const before = this.#lines;
    const { lines, added, removed } = place(before, this.#consumers.wanted, this.#isEstimating);
    for (const { mid, track } of removed) {
      this.#consumers.forget(track);
      this.#silence(mid);
    }
    const made = await Promise.all(added.map(({ mid, track }) => this.#consumers.make(mid, track, this.#receives)));
    for (const [index, { mid }] of added.entries()) {
      const media = made[index];
      if (media) this.#ours.set(mid, media);
    }
    const failed = new Set(added.flatMap(({ mid }, index) => (made[index] ? [] : [mid])));
    this.#lines = lines.flatMap((line) => (failed.has(line.mid) ? this.#unused(line) : [line]));
    for (const line of this.#lines) this.#describe(line);
    this.#negotiations += 1;
    this.#pending = { negotiationId: this.#negotiations, before };
    return { negotiationId: this.#negotiations, sdp: this.#write("actpass") };
  }

  /** A line that got no track: idle if the client knows it, else none. */
  #unused(line: Line): Line[] {
    return this.#ours.has(line.mid) ? [{ ...line, use: { type: "idle" } }] : [];
  }

  #describe(line: Line): void {
    const { mid, kind } = line;
    if (line.use.type === "probator") this.#ours.set(mid, probatorMedia());
    const theirs = this.#theirs.get(mid);
    if (kind === null || !theirs) return;
    if (isRenumbering(line)) this.#ours.set(mid, renumbered(theirs, kind, this.#options.capabilities));
    // What the client said of it in its own numbers may mean something else in ours by now.
    if (line.use.type === "idle") this.#ours.set(mid, asInactive(renumbered(theirs, kind, this.#options.capabilities)));
  }

  #silence(mid: string): void {
    this.#ours.set(mid, asInactive(this.#side(mid)));
  }

  /** The client has an offer of its own and ignores ours: what only ours knew is not there. */
  #rollBack(): void {
    this.#lines = this.#known;
    this.#pending = null;
  }

  async #connect(description: Description): Promise<void> {
    if (!this.#peer) {
      // RFC 8842, section 5.3: who may choose lets the client begin, whose address is the one that is not known.
      const role = description.dtls.role === "server" ? "server" : "client";
      this.#setup = role === "server" ? "active" : "passive";
      await this.transport.connect({ dtlsParameters: { ...description.dtls, role } });
    } else if (this.#peer.ice.usernameFragment !== description.ice.usernameFragment) await this.transport.restartIce();
    this.#peer = description;
  }

  #requireSamePeer({ dtls }: Description): void {
    const before = this.#peer?.dtls.fingerprints;
    const isSame = !before || JSON.stringify(before) === JSON.stringify(dtls.fingerprints);
    if (!isSame) throw new RoomRefusal("bad_message", "sdp: a=fingerprint is another than before: join anew");
  }

  /** Bandwidth is estimated from transport-wide feedback, where the client gives it. */
  get #isEstimating(): boolean {
    const extensions = this.#receives.headerExtensions ?? [];
    return extensions.some(({ kind, uri }) => kind === "video" && uri.endsWith("wide-cc-extensions-01"));
  }

  #side(mid: string): MediaDescription {
    const media = this.#ours.get(mid);
    if (!media) throw new Error(`the line ${mid} was never described`);
    return media;
  }

  #write(setup: Setup): string {
    this.#versions += 1;
    return writeDescription(
      this.#lines.map(({ mid }) => this.#side(mid)),
      this.transport,
      setup,
      this.#versions,
    );
  }
}

function isRenumbering({ use }: Line): boolean {
  return use.type === "upload" && use.isRenumbering;
}

function isUnused({ use }: Line): boolean {
  return use.type === "idle" || use.type === "refused";
}

/** Without one there is nothing to connect by. */
function requireSomeUse(settled: readonly Settled[]): void {
  if (settled.some(({ line }) => line.use.type !== "refused")) return;
  throw new RoomRefusal("bad_message", "sdp: has no m-section of audio or video in a codec that a room knows");
}
