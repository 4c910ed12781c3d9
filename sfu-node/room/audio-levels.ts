import type { types } from "mediasoup";
import { type Ear, listen } from "./listening.ts";

/** The id of the client-to-mixer audio level in what mediasoup forwards. */
const LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/** Nobody else is to hear. */
const LOOPBACK = "127.0.0.1";

/**
 * The levels that clients send with their audio (RFC 6464): they need no decoding, and end-to-end encryption leaves
 * them as they are. Each audio packet goes to the listening thread once a room, whatever the number of receivers, by a
 * datagram on the loopback: that takes a fraction of mediasoup's own way into this process, whose every packet is a
 * message of the channel to its worker (`npm run bench:sfu`). With DTX only who speaks sends any.
 */
export class AudioLevels {
  readonly #transport: types.PlainTransport;
  readonly #capabilities: types.RtpCapabilities;
  readonly #ear: Ear;
  readonly #following = new Set<string>();

  private constructor(transport: types.PlainTransport, capabilities: types.RtpCapabilities, ear: Ear) {
    this.#transport = transport;
    this.#capabilities = capabilities;
    this.#ear = ear;
  }

  /** @param onSpeaker another participant than before speaks loudest */
  static async open(router: types.Router, onSpeaker: (participantId: string) => void): Promise<AudioLevels> {
    const ear = await listen(onSpeaker);
    const listenInfo = { protocol: "udp", ip: LOOPBACK } as const;
    try {
      const transport = await router.createPlainTransport({ listenInfo, rtcpMux: true });
      await transport.connect({ ip: LOOPBACK, port: ear.port });
      transport.observer.once("close", () => ear.close());
      return new AudioLevels(transport, router.rtpCapabilities, ear);
    } catch (error) {
      ear.close();
      throw error;
    }
  }

  async follow(participantId: string, producer: types.Producer): Promise<void> {
    const { id: producerId } = producer;
    if (this.#following.has(producerId)) return;
    this.#following.add(producerId);
    try {
      const consumer = await this.#transport.consume({ producerId, rtpCapabilities: this.#capabilities });
      const { headerExtensions, encodings } = consumer.rtpParameters;
      const id = headerExtensions?.find(({ uri }) => uri === LEVEL_URI)?.id;
      const ssrc = encodings?.[0]?.ssrc;
      consumer.observer.once("close", () => this.#forget(producerId, ssrc));
      if (id !== undefined && ssrc !== undefined) this.#ear.follow(ssrc, { participantId, id });
    } catch {
      // The producer has gone meanwhile.
      this.#following.delete(producerId);
    }
  }

  gone(participantId: string): void {
    this.#ear.gone(participantId);
  }

  close(): void {
    this.#transport.close();
  }

  #forget(producerId: string, ssrc: number | undefined): void {
    this.#following.delete(producerId);
    if (ssrc !== undefined) this.#ear.forget(ssrc);
  }
}
