import type { CallLink } from "./call-link.ts";
import { type CandidateBatch, CandidateBatcher } from "./candidate-batch.ts";
import type { Description, PathState, Peer } from "./peer.ts";

export interface ConnectionEvents {
  candidates(batch: CandidateBatch, connectionId: string | undefined): void;
  description(description: Description, connectionId: string | undefined): void;
  path(of: Connection): void;
  /** A remote track came, went, or started or stopped to flow. */
  remoteChanged(): void;
  /** The other side takes none. */
  pictureRefused(of: Connection): void;
}

interface ConnectionOptions {
  /** Needed while a call has two. */
  readonly id?: string | undefined;
  readonly isPolite: boolean;
}

/** One media connection of a call, with its candidates on their way out. A handoff makes a second one. */
export class Connection {
  readonly id: string | undefined;
  readonly #batcher: CandidateBatcher;
  #peer: Peer | null = null;
  #path: PathState | null = null;

  private constructor(id: string | undefined, batcher: CandidateBatcher) {
    this.id = id;
    this.#batcher = batcher;
  }

  static async open(link: CallLink, { id, isPolite }: ConnectionOptions, on: ConnectionEvents): Promise<Connection> {
    const batcher = new CandidateBatcher((batch) => on.candidates(batch, id));
    const connection = new Connection(id, batcher);
    connection.#peer = await link.openPeer(isPolite, {
      candidate: (candidate) => batcher.add(candidate),
      description: (description) => on.description(description, id),
      path: (path) => {
        connection.#path = path;
        on.path(connection);
      },
      remoteChanged: () => on.remoteChanged(),
      pictureRefused: () => on.pictureRefused(connection),
    });
    return connection;
  }

  get peer(): Peer {
    if (!this.#peer) throw new Error("the connection is not open yet");
    return this.#peer;
  }

  /** How its path stands; null before it was up for the first time. */
  get path(): PathState | null {
    return this.#path;
  }

  /** From now on its candidates have somebody to go to. */
  release(afterMs?: number): void {
    this.#batcher.release(afterMs);
  }

  repeatCandidates(): void {
    this.#batcher.repeat();
  }

  candidatesArrived(): void {
    this.#batcher.arrived();
  }

  close(): void {
    this.#batcher.close();
    this.#peer?.close();
  }
}
