/**
 * Media of a camera and a microphone that are none, as RTP packets: for stacks that send what they are given. Each
 * picture is a whole one, so whoever comes in sees it at the next; a real decoder takes it.
 */

/** 64 x 48 pixels of grey, VP8 (RFC 6386): what `gst-launch-1.0 videotestsrc pattern=bar ! vp8enc` makes of them. */
const PICTURE = Buffer.from("MAMAnQEqQAAwAAhHCIWFiIWEiCwCAAeQtT9Ebn7HpkSdhAD+3pb28FQicOivesgA", "base64");
/** RFC 7741, section 4.2: the first packet of a frame, and its only one. */
const VP8_DESCRIPTOR = Buffer.from([0x10]);
/** 20 ms of silence, Opus (RFC 6716, section 3.1). */
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);

const OPUS_RATE = 48_000;
const VIDEO_RATE = 90_000;

/** What a stack has agreed on for a track that it sends. */
export interface Outlet {
  readonly payloadType: number;
  readonly ssrc: number;
  send(packet: Buffer): void;
}

export interface MediaOptions {
  readonly microphone: () => Outlet | null;
  readonly camera: () => Outlet | null;
  /** How often a packet of each is sent. */
  readonly intervalMs?: number;
}

/** Sends a packet of sound and a picture, again and again. */
export class SyntheticMedia {
  readonly #options: MediaOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #started = performance.now();
  #sequence = 0;

  constructor(options: MediaOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#send(), options.intervalMs ?? 50);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #send(): void {
    const seconds = (performance.now() - this.#started) / 1000;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const { microphone, camera } = this.#options;
    for (const [outlet, rate, payload] of [
      [microphone(), OPUS_RATE, SILENCE],
      [camera(), VIDEO_RATE, Buffer.concat([VP8_DESCRIPTOR, PICTURE])],
    ] as const) {
      outlet?.send(rtpPacket(outlet, this.#sequence, Math.round(seconds * rate), payload));
    }
  }
}

/** RFC 3550, section 5.1. Each packet is a whole frame, so each has the marker. */
export function rtpPacket({ payloadType, ssrc }: Outlet, sequence: number, timestamp: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = 0x80 | payloadType;
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(ssrc >>> 0, 8);
  return Buffer.concat([header, payload]);
}

/** RFC 5761, section 4: what of that which arrives is RTCP. */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** The last packet of a frame of video. */
export function endsFrame(packet: Buffer): boolean {
  return ((packet[1] ?? 0) & 0x80) !== 0;
}
