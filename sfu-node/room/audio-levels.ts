import type { types } from "mediasoup";

/** The id of the client-to-mixer audio level in what mediasoup forwards. */
const LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/** RFC 8285, section 4.2: the profile of extensions with one byte of header. */
const ONE_BYTE = 0xbede;
/** RFC 8285, section 4.3: those with two, of which the last four bits are the application's. */
const TWO_BYTE = 0x100;
/** RFC 8285, section 4.2: at this id the reading ends. */
const LAST = 15;

/**
 * The levels that clients send with their audio (RFC 6464): they need no decoding, and end-to-end encryption leaves
 * them as they are. A `DirectTransport` brings each audio packet here once a room, whatever the number of receivers;
 * with DTX only who speaks sends any.
 */
export class AudioLevels {
  readonly #transport: types.DirectTransport;
  readonly #capabilities: types.RtpCapabilities;
  readonly #peaks = new Map<string, number>();
  readonly #following = new Set<string>();

  private constructor(transport: types.DirectTransport, capabilities: types.RtpCapabilities) {
    this.#transport = transport;
    this.#capabilities = capabilities;
  }

  static async open(router: types.Router): Promise<AudioLevels> {
    return new AudioLevels(await router.createDirectTransport(), router.rtpCapabilities);
  }

  async follow(participantId: string, producerId: string): Promise<void> {
    if (this.#following.has(producerId)) return;
    this.#following.add(producerId);
    try {
      const consumer = await this.#transport.consume({ producerId, rtpCapabilities: this.#capabilities });
      const id = consumer.rtpParameters.headerExtensions?.find(({ uri }) => uri === LEVEL_URI)?.id;
      consumer.observer.once("close", () => this.#following.delete(producerId));
      consumer.on("rtp", (packet) => this.#hear(participantId, id === undefined ? null : audioLevel(packet, id)));
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

  #hear(participantId: string, level: number | null): void {
    if (level === null) return;
    this.#peaks.set(participantId, Math.max(level, this.#peaks.get(participantId) ?? 0));
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
