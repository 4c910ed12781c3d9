import type { types } from "mediasoup";
import * as z from "zod";
import type { TrackSource } from "../../schema/room.ts";
import type { PipeAddress, PipeTrack } from "../../schema/room-pipe.ts";

export interface PipeOptions {
  readonly router: types.Router;
  readonly listenInfo: types.TransportListenInfo;
  readonly announcedAddress: string;
  readonly peerNodeId: string;
}

/** What crosses to the other node. */
export interface Outgoing {
  readonly participantId: string;
  readonly source: TrackSource;
  readonly producer: types.Producer;
}

/**
 * This room's end of a pipe to the same room on another node: a mediasoup `PipeTransport`, on a port of its own since
 * it cannot share the `WebRtcServer`'s. All layers of a track cross, so that each receiver there has its choice.
 */
export class Pipe {
  readonly #options: PipeOptions;
  readonly #transport: types.PipeTransport;
  /** The producers that cross. */
  readonly #outgoing = new Set<string>();
  readonly #incoming = new Map<string, types.Producer>();
  #isConnected = false;

  private constructor(options: PipeOptions, transport: types.PipeTransport) {
    this.#options = options;
    this.#transport = transport;
  }

  static async open(options: PipeOptions): Promise<Pipe> {
    const { router, listenInfo } = options;
    // Nodes may be far apart: what is lost on the way is sent again, and what passes is nobody else's business.
    return new Pipe(options, await router.createPipeTransport({ listenInfo, enableRtx: true, enableSrtp: true }));
  }

  get address(): PipeAddress {
    const { tuple, srtpParameters } = this.#transport;
    return { ip: this.#options.announcedAddress, port: tuple.localPort, srtp: Srtp.parse(srtpParameters) };
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  async connect({ ip, port, srtp }: PipeAddress): Promise<void> {
    if (this.#isConnected) return;
    this.#isConnected = true;
    await this.#transport.connect({ ip, port, srtpParameters: srtp });
  }

  /** @returns what the other node has to know; null if the track crosses already, or is gone */
  async send({ participantId, source, producer }: Outgoing): Promise<PipeTrack | null> {
    if (this.#outgoing.has(producer.id) || producer.closed) return null;
    // Before anything is waited for: who is asked twice at once sends once.
    this.#outgoing.add(producer.id);
    producer.observer.once("close", () => this.#outgoing.delete(producer.id));
    const consumer = await this.#transport.consume({ producerId: producer.id });
    return {
      type: "pipe_track",
      peerNodeId: this.#options.peerNodeId,
      participantId,
      source,
      kind: producer.kind,
      producerId: producer.id,
      muted: producer.paused,
      rtpParameters: JSON.stringify(consumer.rtpParameters),
    };
  }

  /** @throws ZodError or what mediasoup says: the other node is not one of ours */
  async receive({ participantId, source, kind, producerId, muted, rtpParameters }: PipeTrack): Promise<types.Producer> {
    this.drop(participantId, source);
    const producer = await this.#transport.produce({
      id: producerId,
      kind,
      rtpParameters: RtpParameters.parse(JSON.parse(rtpParameters)),
      paused: muted,
    });
    this.#incoming.set(`${participantId}/${source}`, producer);
    return producer;
  }

  received(participantId: string, source: TrackSource): types.Producer | undefined {
    return this.#incoming.get(`${participantId}/${source}`);
  }

  drop(participantId: string, source: TrackSource): void {
    this.received(participantId, source)?.close();
    this.#incoming.delete(`${participantId}/${source}`);
  }

  close(): void {
    this.#transport.close();
  }
}

const Srtp = z.object({ cryptoSuite: z.enum(["AEAD_AES_256_GCM", "AEAD_AES_128_GCM"]), keyBase64: z.string() });

const Uri = z.enum([
  "urn:ietf:params:rtp-hdrext:sdes:mid",
  "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
  "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
  "urn:3gpp:video-orientation",
  "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
  "urn:ietf:params:rtp-hdrext:toffset",
  "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
  "urn:mediasoup:params:rtp-hdrext:packet-id",
]);

const parameters = z.record(z.string(), z.unknown());
const Ssrc = z.int().min(0).max(0xffff_ffff);

/** RTP parameters as a node of ours sends them. */
const RtpParameters = z.object({
  mid: z.string().exactOptional(),
  codecs: z.array(
    z.object({
      mimeType: z.string(),
      payloadType: z.int(),
      clockRate: z.int(),
      channels: z.int().exactOptional(),
      parameters: parameters.exactOptional(),
      rtcpFeedback: z.array(z.object({ type: z.string(), parameter: z.string().exactOptional() })).exactOptional(),
    }),
  ),
  headerExtensions: z
    .array(
      z.object({
        uri: Uri,
        id: z.int(),
        encrypt: z.boolean().exactOptional(),
        parameters: parameters.exactOptional(),
      }),
    )
    .exactOptional(),
  encodings: z
    .array(
      z.object({
        ssrc: Ssrc.exactOptional(),
        rid: z.string().exactOptional(),
        codecPayloadType: z.int().exactOptional(),
        rtx: z.object({ ssrc: Ssrc }).exactOptional(),
        dtx: z.boolean().exactOptional(),
        scalabilityMode: z.string().exactOptional(),
        maxBitrate: z.number().exactOptional(),
      }),
    )
    .exactOptional(),
  rtcp: z.object({ cname: z.string().exactOptional(), reducedSize: z.boolean().exactOptional() }).exactOptional(),
});
