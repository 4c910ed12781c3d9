import { ExtensionProfiles, RtpHeader } from "werift";
import type { MediaKind } from "../../../schema/room.ts";
import { LEVEL_ID, OPUS, VP8 } from "./load-description.ts";

/** What a load client sends: a microphone, and a camera if any. */
export interface Sending {
  /** Is in each of its packets, so that receivers know whose they are, whatever the SFU makes of the numbers. */
  readonly tag: number;
  /** Who does not speak sends next to nothing (DTX). */
  readonly isSpeaking: boolean;
  readonly camera: VideoRate | null;
}

export interface VideoRate {
  readonly framesPerSecond: number;
  /** Of 1,000 bytes. */
  readonly packetsPerFrame: number;
}

/** 0.8 Mbps in 100 packets a second. */
export const CAMERA: VideoRate = { framesPerSecond: 25, packetsPerFrame: 4 };
/** As many of a gallery of 32 show as tiles: 80 kbps. */
export const TILE: VideoRate = { framesPerSecond: 10, packetsPerFrame: 1 };

const SPEECH = { framesPerSecond: 50, bytes: 80, level: 30 };
/** RFC 6716, section 2.1.9: a frame every 400 ms. RFC 6464: 127 is silence. */
const DTX = { framesPerSecond: 2.5, bytes: 20, level: 127 };
const VIDEO_BYTES = 1_000;
const TAG_BYTES = 4;

/** 64 x 48 pixels of grey, VP8 (RFC 6386), whole; what follows it in its packets decoders leave alone. */
const PICTURE = Buffer.from("MAMAnQEqQAAwAAhHCIWFiIWEiCwCAAeQtT9Ebn7HpkSdhAD+3pb28FQicOivesgA", "base64");
/** 20 ms of silence, Opus (RFC 6716, section 3.1), likewise. */
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);
/** RFC 7741, section 4.2: the start of a partition, and what continues it. */
const FIRST = Buffer.from([0x10]);
const NEXT = Buffer.from([0x00]);

/** Whose packet it is. */
export function tagOf(payload: Buffer): number | null {
  return payload.length < TAG_BYTES ? null : payload.readUInt32BE(payload.length - TAG_BYTES);
}

/** A track as RTP, in the pace of its frames. Each picture is a whole one. */
export class RtpTrack {
  readonly #header: RtpHeader;
  readonly #frame: readonly Buffer[];
  readonly #framesPerSecond: number;
  readonly #ticks: number;
  readonly #send: (header: RtpHeader, payload: Buffer) => void;
  #begun = performance.now();
  #frames = 0;
  #sent = 0;

  constructor(kind: MediaKind, ssrc: number, sending: Sending, send: (header: RtpHeader, payload: Buffer) => void) {
    const isAudio = kind === "audio";
    const sound = sending.isSpeaking ? SPEECH : DTX;
    const { framesPerSecond, packetsPerFrame } = sending.camera ?? CAMERA;
    this.#framesPerSecond = isAudio ? sound.framesPerSecond : framesPerSecond;
    this.#ticks = (isAudio ? 48_000 : 90_000) / this.#framesPerSecond;
    this.#frame = isAudio
      ? [tagged(SILENCE, sound.bytes, sending.tag)]
      : Array.from({ length: packetsPerFrame }, (_, index) => tagged(part(index), VIDEO_BYTES, sending.tag));
    this.#send = send;
    const extensions = [{ id: LEVEL_ID, payload: Buffer.from([sound.level]) }];
    this.#header = new RtpHeader({
      ssrc,
      payloadType: isAudio ? OPUS : VP8,
      ...(isAudio && { extension: true, extensionProfile: ExtensionProfiles.OneByte, extensions }),
    });
  }

  /** Goes on from now: what was not sent meanwhile is left out. */
  resume(): void {
    this.#begun = performance.now();
    this.#frames = 0;
  }

  /** Sends what is due: a timer that is late catches up, since the rate is what is compared. */
  sendDue(): void {
    const due = ((performance.now() - this.#begun) * this.#framesPerSecond) / 1_000;
    for (; this.#frames < due; this.#frames++) this.#sendFrame();
  }

  #sendFrame(): void {
    const header = this.#header;
    const frame = this.#sent / this.#frame.length;
    header.timestamp = Math.round(frame * this.#ticks) % 0x1_0000_0000;
    for (const [index, payload] of this.#frame.entries()) {
      header.sequenceNumber = this.#sent % 0x1_0000;
      header.marker = index === this.#frame.length - 1;
      this.#sent += 1;
      this.#send(header, payload);
    }
  }
}

function part(index: number): Buffer {
  return index === 0 ? Buffer.concat([FIRST, PICTURE]) : NEXT;
}

function tagged(start: Buffer, bytes: number, tag: number): Buffer {
  const packet = Buffer.concat([start, Buffer.alloc(bytes - start.length)]);
  packet.writeUInt32BE(tag, bytes - TAG_BYTES);
  return packet;
}
