import type { types } from "mediasoup";
import type { FromNode, ToNode } from "../../../schema/room-socket.ts";
import { AudioLevels } from "../../../sfu-node/room/audio-levels.ts";
import { roomCapabilities } from "../../../sfu-node/room/capabilities.ts";
import { MEDIA_CODECS } from "../../../sfu-node/room/codecs.ts";
import { Connection } from "../../../sfu-node/room/connection.ts";
import type { Download } from "../../../sfu-node/room/consumers.ts";
import { numbersOf } from "../../../sfu-node/room/numbers.ts";
import type { MediaWorker } from "../../../sfu-node/workers.ts";

interface BareOptions {
  /** Whether it also hears who speaks, as our rooms do. */
  readonly hasLevels: boolean;
  readonly send: (message: FromNode) => void;
}

/**
 * What a room is compared with: mediasoup with the same transports, producers and consumers, and nothing around it. It
 * shares the descriptions with ours, which are written when somebody joins and cost nothing per packet.
 */
export class BareRoom {
  readonly #router: types.Router;
  readonly #worker: MediaWorker;
  readonly #options: BareOptions;
  readonly #levels: AudioLevels | null;
  readonly #connections = new Map<string, Connection>();

  private constructor(router: types.Router, worker: MediaWorker, options: BareOptions, levels: AudioLevels | null) {
    this.#router = router;
    this.#worker = worker;
    this.#options = options;
    this.#levels = levels;
  }

  static async open(worker: MediaWorker, options: BareOptions): Promise<BareRoom> {
    const router = await worker.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    return new BareRoom(router, worker, options, options.hasLevels ? await AudioLevels.open(router, () => {}) : null);
  }

  async handle(message: ToNode): Promise<void> {
    switch (message.type) {
      case "participant_join": {
        const { id: re, participantId } = message;
        const connection = await this.#connect(participantId);
        const sdp = await connection.takeOffer(message.sdp, message.tracks);
        this.#options.send({ type: "participant_joined", re, participantId, sdp, tracks: [] });
        return this.#offerAll();
      }
      case "participant_answer":
        await this.#connections.get(message.participantId)?.takeAnswer(message.sdp, message.negotiationId);
        return this.#offerAll();
      default:
        throw new Error(`the bench says no ${message.type}`);
    }
  }

  async #connect(participantId: string): Promise<Connection> {
    const { webRtcServer } = this.#worker;
    const transport = await this.#router.createWebRtcTransport({ webRtcServer, enableUdp: true, enableTcp: true });
    const capabilities = roomCapabilities(this.#router.rtpCapabilities);
    const terms = { capabilities, numbers: numbersOf(capabilities) };
    const connection = new Connection({ ...terms, transport, onTracks: () => this.#listen(participantId) });
    this.#connections.set(participantId, connection);
    return connection;
  }

  #listen(participantId: string): void {
    for (const producer of this.#connections.get(participantId)?.producers.values() ?? []) {
      if (producer.kind === "audio") void this.#levels?.follow(participantId, producer);
    }
  }

  async #offerAll(): Promise<void> {
    for (const [participantId, connection] of this.#connections) {
      await connection.setDownloads(this.#downloadsOf(participantId));
      const offer = await connection.offer();
      if (offer) this.#options.send({ type: "room_offer", participantId, tracks: [], ...offer });
    }
  }

  #downloadsOf(receiver: string): Download[] {
    return [...this.#connections].flatMap(([participantId, { producers }]) => {
      if (participantId === receiver) return [];
      return [...producers].map(([source, { id: producerId, kind }]) => {
        const key = `${participantId}/${source}/${producerId}`;
        return { key, kind, producerId, participantId, source, isPaused: false, layer: 0, priority: 1 };
      });
    });
  }
}
