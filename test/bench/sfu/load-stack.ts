import { randomInt } from "node:crypto";
import type { Received, Stack } from "../../support/stack-participant.ts";
import { endsFrame, isRtcp } from "../../support/stack-rtp.ts";
import { Link } from "./link.ts";
import { receivedSsrcs, remoteOf, type SentLine, writeAnswer, writeOffer } from "./load-description.ts";
import { RtpTrack, type Sending, tagOf } from "./load-media.ts";

/** What has come with one SSRC. */
interface Incoming {
  packets: number;
  /** Packets that end a picture. */
  frames: number;
  /** Null before it could be read: the SFU may send before this side has the keys. */
  tag: number | null;
}

const NOTHING: Received = { packets: 0, frames: 0 };
/** Half a frame of audio: what is sent later is sent in bursts, as by any client on a busy machine. */
const TICK_MS = 10;

/**
 * A client without a browser, and cheap enough that the SFU is what is measured: it speaks what a room needs of
 * WebRTC, sends packets that were made before, and counts those that come without looking into more than the first.
 */
export class LoadStack implements Stack {
  readonly link: Link;
  /** Media can be sent, and is, unless `isSending` says otherwise. */
  readonly connected: Promise<void>;
  /** Whose packet has come, by the tag of what they send. */
  onMedia: (tag: number) => void = () => {};
  /** The first packet of another track has come. */
  onTrack: () => void = () => {};
  isSending = true;
  packetsSent = 0;
  packetsReceived = 0;
  readonly #lines: readonly SentLine[];
  readonly #tracks: readonly RtpTrack[];
  readonly #incoming = new Map<number, Incoming>();
  readonly #connected = Promise.withResolvers<void>();
  #mids: ReadonlyMap<number, string> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #isConnecting = false;

  private constructor(link: Link, sending: Sending | null) {
    this.link = link;
    this.connected = this.#connected.promise;
    this.#lines = sending ? linesOf(sending) : [];
    this.#tracks = this.#lines.flatMap(({ kind, ssrc }) => (sending ? [this.#track(kind, ssrc, sending)] : []));
    link.onPacket = (packet) => this.#count(packet);
  }

  /** @param sending null for one who only watches */
  static async open(sending: Sending | null): Promise<LoadStack> {
    return new LoadStack(await Link.open(), sending);
  }

  async offer(): Promise<string> {
    return writeOffer(this.link, this.#lines);
  }

  async takeAnswer(sdp: string): Promise<void> {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    // Not awaited: the room may have an offer to make meanwhile.
    void this.link.connect(remoteOf(sdp)).then(() => {
      if (this.isSending) this.resume();
      this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
      this.#connected.resolve();
    }, this.#connected.reject);
  }

  async answer(sdp: string): Promise<string> {
    this.#mids = receivedSsrcs(sdp);
    return writeAnswer(this.link, sdp, this.#lines);
  }

  async received(): Promise<ReadonlyMap<string, Received>> {
    return new Map([...this.#mids].map(([ssrc, mid]) => [mid, this.#incoming.get(ssrc) ?? NOTHING]));
  }

  /** Whether anything has come on an m-line; what it is changes with the track that the line carries. */
  flowing(mid: string): number | null {
    for (const [ssrc, one] of this.#mids) if (one === mid && this.#incoming.has(ssrc)) return ssrc;
    return null;
  }

  pause(): void {
    this.isSending = false;
  }

  resume(): void {
    for (const track of this.#tracks) track.resume();
    this.isSending = true;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.link.close();
  }

  #sendDue(): void {
    if (this.isSending) for (const track of this.#tracks) track.sendDue();
  }

  #track(kind: SentLine["kind"], ssrc: number, sending: Sending): RtpTrack {
    return new RtpTrack(kind, ssrc, sending, (header, payload) => {
      this.packetsSent += 1;
      this.link.send(header, payload);
    });
  }

  #count(packet: Buffer): void {
    if (isRtcp(packet)) return;
    const ssrc = packet.readUInt32BE(8);
    const incoming = this.#incoming.get(ssrc) ?? this.#first(ssrc);
    incoming.tag ??= this.#read(packet);
    this.packetsReceived += 1;
    incoming.packets += 1;
    if (endsFrame(packet)) incoming.frames += 1;
    if (incoming.tag !== null) this.onMedia(incoming.tag);
  }

  #first(ssrc: number): Incoming {
    const incoming = { ...NOTHING, tag: null };
    this.#incoming.set(ssrc, incoming);
    this.onTrack();
    return incoming;
  }

  #read(packet: Buffer): number | null {
    const payload = this.link.read(packet);
    return payload && tagOf(payload);
  }
}

function linesOf({ camera }: Sending): SentLine[] {
  const audio = { kind: "audio" as const, ssrc: someSsrc() };
  return camera ? [audio, { kind: "video", ssrc: someSsrc() }] : [audio];
}

function someSsrc(): number {
  return randomInt(1, 0xffff_ffff);
}
