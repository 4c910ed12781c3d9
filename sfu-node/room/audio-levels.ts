import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { types } from "mediasoup";

/** The id of the client-to-mixer audio level in what mediasoup forwards. */
const LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/** RFC 8285, section 4.2: the profile of extensions with one byte of header. */
const ONE_BYTE = 0xbede;
/** RFC 8285, section 4.3: those with two, of which the last four bits are the application's. */
const TWO_BYTE = 0x100;
/** RFC 8285, section 4.2: at this id the reading ends. */
const LAST = 15;

/** Nobody else is to hear. */
const LOOPBACK = "127.0.0.1";

/**
 * The levels that clients send with their audio (RFC 6464): they need no decoding, and end-to-end encryption leaves
 * them as they are. Each audio packet comes here once a room, whatever the number of receivers, by a datagram on the
 * loopback: that takes a fraction of mediasoup's own way into this process, whose every packet is a message of the
 * channel to its worker (`npm run bench:sfu`). With DTX only who speaks sends any.
 */
export class AudioLevels {
  readonly #transport: types.PlainTransport;
  readonly #capabilities: types.RtpCapabilities;
  readonly #peaks = new Map<string, number>();
  readonly #following = new Set<string>();
  /** Whose packets they are, and the id of their levels, by SSRC. */
  readonly #speakers = new Map<number, { readonly participantId: string; readonly id: number }>();

  private constructor(transport: types.PlainTransport, capabilities: types.RtpCapabilities, socket: Socket) {
    this.#transport = transport;
    this.#capabilities = capabilities;
    socket.on("message", (packet) => this.#hear(packet));
  }

  static async open(router: types.Router): Promise<AudioLevels> {
    const socket = createSocket("udp4");
    socket.bind(0, LOOPBACK);
    await once(socket, "listening");
    const listenInfo = { protocol: "udp", ip: LOOPBACK } as const;
    try {
      const transport = await router.createPlainTransport({ listenInfo, rtcpMux: true });
      await transport.connect({ ip: LOOPBACK, port: socket.address().port });
      transport.observer.once("close", () => socket.close());
      return new AudioLevels(transport, router.rtpCapabilities, socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  async follow(participantId: string, producerId: string): Promise<void> {
    if (this.#following.has(producerId)) return;
    this.#following.add(producerId);
    try {
      const consumer = await this.#transport.consume({ producerId, rtpCapabilities: this.#capabilities });
      const { headerExtensions, encodings } = consumer.rtpParameters;
      const id = headerExtensions?.find(({ uri }) => uri === LEVEL_URI)?.id;
      const ssrc = encodings?.[0]?.ssrc;
      consumer.observer.once("close", () => this.#forget(producerId, ssrc));
      if (id !== undefined && ssrc !== undefined) this.#speakers.set(ssrc, { participantId, id });
    } catch {
      // The producer has gone meanwhile.
      this.#following.delete(producerId);
    }
  }

  /** The loudest level of each who was heard since the last time, linear from 0 to 1. */
  take(): ReadonlyMap<string, number> {
    const peaks = new Map(this.#peaks);
    this.#peaks.clear();
    return peaks;
  }

  close(): void {
    this.#transport.close();
  }

  #forget(producerId: string, ssrc: number | undefined): void {
    this.#following.delete(producerId);
    if (ssrc !== undefined) this.#speakers.delete(ssrc);
  }

  /** RTCP comes here too (RFC 5761): its fields make it nobody's packet. */
  #hear(packet: Buffer): void {
    const speaker = packet.length < 12 ? undefined : this.#speakers.get(packet.readUInt32BE(8));
    const level = speaker ? audioLevel(packet, speaker.id) : null;
    if (!speaker || level === null) return;
    this.#peaks.set(speaker.participantId, Math.max(level, this.#peaks.get(speaker.participantId) ?? 0));
  }
}

/**
 * The level of an RTP packet (RFC 6464, section 3: -dBov in seven bits) as a linear amplitude, 10^(-L/20).
 * @returns null if the packet has none
 */
export function audioLevel(packet: Buffer, id: number): number | null {
  const element = extension(packet, id);
  const first = element?.[0];
  if (first === undefined) return null;
  const level = first & 0x7f;
  return level === 127 ? 0 : 10 ** (-level / 20);
}

/** The element of a header extension (RFC 3550, section 5.3.1; RFC 8285, section 4); nothing is read beyond it. */
function extension(packet: Buffer, id: number): Buffer | null {
  const csrcs = (packet[0] ?? 0) & 0x0f;
  const hasExtension = ((packet[0] ?? 0) & 0x10) !== 0;
  const start = 12 + 4 * csrcs + 4;
  if (!hasExtension || packet.length < start) return null;
  const profile = packet.readUInt16BE(start - 4);
  const end = start + 4 * packet.readUInt16BE(start - 2);
  if (packet.length < end) return null;
  const elements = packet.subarray(start, end);
  if (profile === ONE_BYTE) return oneByteElement(elements, id);
  return profile >> 4 === TWO_BYTE ? twoByteElement(elements, id) : null;
}

function oneByteElement(elements: Buffer, id: number): Buffer | null {
  for (let at = 0; at < elements.length; ) {
    const header = elements[at] ?? 0;
    const end = at + 2 + (header & 0x0f);
    if (header >> 4 === id) return end <= elements.length ? elements.subarray(at + 1, end) : null;
    if (header >> 4 === LAST) return null;
    at = header === 0 ? at + 1 : end;
  }
  return null;
}

function twoByteElement(elements: Buffer, id: number): Buffer | null {
  for (let at = 0; at + 1 < elements.length; ) {
    const found = elements[at] ?? 0;
    const end = at + 2 + (elements[at + 1] ?? 0);
    if (found === id) return end <= elements.length ? elements.subarray(at + 2, end) : null;
    at = found === 0 ? at + 1 : end;
  }
  return null;
}
