import type { ReceivedTrack } from "../../schema/room.ts";
import type { FromNode, ToNode } from "../../schema/room-socket.ts";
import { Queue } from "../../sfu-node/room/queue.ts";

/** What of an m-section a stack has received. */
export interface Received {
  readonly packets: number;
  /** Of video: that were decoded, or that were whole where the stack decodes nothing. */
  readonly frames: number;
}

/** A WebRTC stack with a camera and a microphone, as a room sees it: descriptions in and out. */
export interface Stack {
  offer(): Promise<string>;
  takeAnswer(sdp: string): Promise<void>;
  answer(sdp: string): Promise<string>;
  /** By mid. */
  received(): Promise<ReadonlyMap<string, Received>>;
  close(): Promise<void>;
}

/** What of each of the others' tracks has arrived. */
export interface Got extends Received {
  readonly participantId: string;
  readonly source: string;
}

/** Somebody in a room, with whatever stack. It knows nothing but what the protocol says. */
export class StackInRoom {
  readonly id: string;
  readonly stack: Stack;
  /** What the room has refused it, and what its stack has. */
  readonly refused: string[] = [];
  readonly #tell: (message: ToNode) => Promise<void>;
  readonly #queue = new Queue();
  #tracks: readonly ReceivedTrack[] = [];
  #requests = 0;

  constructor(id: string, stack: Stack, tell: (message: ToNode) => Promise<void>) {
    this.id = id;
    this.stack = stack;
    this.#tell = tell;
  }

  /** @param sdp its offer, where that is made already */
  async join(sdp?: string): Promise<void> {
    await this.#join(sdp ?? (await this.stack.offer()));
  }

  async #join(sdp: string): Promise<void> {
    await this.#tell({ type: "participant_join", ...this.#about(), sdp, tracks: [], muted: [] });
    await this.#queue.run(async () => {});
  }

  /** Offers anew: the stack has changed what it sends. */
  async offer(): Promise<void> {
    const sdp = await this.stack.offer();
    await this.#tell({ type: "participant_offer", ...this.#about(), sdp, tracks: [] });
    await this.#queue.run(async () => {});
  }

  async leave(): Promise<void> {
    const told = this.#tell({ type: "participant_leave", participantId: this.id });
    await Promise.all([told, this.stack.close()]);
  }

  hear(message: FromNode): void {
    this.#queue
      .run(() => this.#act(message))
      .catch((error: unknown) => this.refused.push(`${message.type}: ${String(error)}`));
  }

  async got(): Promise<Got[]> {
    const received = await this.stack.received();
    return this.#tracks.map(({ mid, participantId, source }) => {
      const { packets = 0, frames = 0 } = received.get(mid) ?? {};
      return { participantId, source, packets, frames };
    });
  }

  async #act(message: FromNode): Promise<void> {
    switch (message.type) {
      case "participant_joined":
      case "offer_answered":
        this.#tracks = message.tracks;
        return this.stack.takeAnswer(message.sdp);
      case "room_offer": {
        this.#tracks = message.tracks;
        const { negotiationId } = message;
        const sdp = await this.stack.answer(message.sdp);
        // Not awaited: the room may have something to say before it has taken this.
        void this.#tell({ type: "participant_answer", ...this.#about(), negotiationId, sdp });
        return;
      }
      case "room_error":
        this.refused.push(`${message.code}: ${message.message}`);
        return;
      case "participant_lost":
        this.refused.push(`lost: ${message.reason}`);
        return;
      default:
        return;
    }
  }

  #about(): { id: string; participantId: string } {
    this.#requests += 1;
    return { id: `${this.id}-${this.#requests}`, participantId: this.id };
  }
}
