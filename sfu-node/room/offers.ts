import type { Connection, SfuOffer } from "./connection.ts";

/** Joins and leaves within this time reach each participant as one offer. Longer delays the first picture. */
const GATHER_MS = 50;
/** How long a client has to answer an offer. One that never does would be stuck with what it has. */
const ANSWER_MS = 10_000;

export interface OffersOptions {
  readonly send: (participantId: string, offer: SfuOffer, connection: Connection) => void;
  readonly onNoAnswer: (participantId: string, connection: Connection) => void;
  readonly onFailure: (error: unknown) => void;
}

/** When each participant is offered what it does not know yet: one offer for many changes, and one at a time. */
export class Offers {
  readonly #options: OffersOptions;
  readonly #gathering = new Map<Connection, NodeJS.Timeout>();

  constructor(options: OffersOptions) {
    this.#options = options;
  }

  /** Something has changed: what is due is offered soon. */
  consider(participantId: string, connection: Connection): void {
    if (!connection.isOfferDue || this.#gathering.has(connection)) return;
    const offer = () => {
      this.#gathering.delete(connection);
      void this.#offer(participantId, connection);
    };
    this.#gathering.set(connection, setTimeout(offer, GATHER_MS));
  }

  forget(connection: Connection): void {
    clearTimeout(this.#gathering.get(connection));
    this.#gathering.delete(connection);
  }

  async #offer(participantId: string, connection: Connection): Promise<void> {
    const { send, onNoAnswer, onFailure } = this.#options;
    try {
      const offer = await connection.offer();
      if (!offer) return;
      send(participantId, offer, connection);
      setTimeout(() => {
        if (connection.isAwaiting(offer.negotiationId)) onNoAnswer(participantId, connection);
      }, ANSWER_MS).unref();
    } catch (error) {
      if (!connection.transport.closed) onFailure(error);
    }
  }
}
