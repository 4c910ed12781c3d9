import { PUSH_RELAY_MS, type PushAnswer, type PushOrder, type PushResult, type PushSend } from "../../schema/fleet.ts";

const NO_ANSWER: PushAnswer = { status: null, reason: null, retryAfter: null };

interface Waiting {
  readonly connectionId: string;
  readonly answered: (answer: PushAnswer) => void;
}

/** Pushes that nodes relay, until they answer. In memory alone: who asks is waiting, and asks again after an eviction. */
export class PushRelays {
  readonly #waiting = new Map<string, Waiting>();
  #turn = 0;

  /**
   * Asks the relays in turn.
   * @param connectionIds the nodes that relay now
   * @returns null without any
   */
  async send(
    connectionIds: readonly string[],
    order: PushOrder,
    send: (connectionId: string, message: PushSend) => void,
  ): Promise<PushAnswer | null> {
    const connectionId = connectionIds[this.#turn++ % connectionIds.length];
    if (connectionId === undefined) return null;
    const id = crypto.randomUUID();
    const { promise, resolve } = Promise.withResolvers<PushAnswer>();
    this.#waiting.set(id, { connectionId, answered: resolve });
    const timer = setTimeout(() => resolve(NO_ANSWER), PUSH_RELAY_MS);
    send(connectionId, { ...order, type: "push_send", id });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
  }

  /** What comes after its time, or from another node than was asked, concerns nobody. */
  answered(connectionId: string, { id, status, reason, retryAfter }: PushResult): void {
    const waiting = this.#waiting.get(id);
    if (waiting?.connectionId === connectionId) waiting.answered({ status, reason, retryAfter });
  }

  /** The node has gone. Whether its last pushes went out, nobody knows. */
  left(connectionId: string): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.connectionId === connectionId) waiting.answered(NO_ANSWER);
    }
  }
}
