import type { Postgres } from "../../tools/postgres/start.ts";
import { consume, type LedgerEnv } from "../../workers/ledger/consumer.ts";
import type { Confirmation } from "../../workers/rpc.ts";

interface Waiting {
  readonly body: unknown;
  readonly due: number;
  readonly attempts: number;
}

/**
 * Cloudflare's queue with its own clock: what is retried or sent with a delay is delivered when it is
 * due, with one more attempt; `attempts` above 101 go to the dead letters (`max_retries = 100`).
 * It keeps what the consumer tells the objects.
 */
export class LedgerQueue {
  /** Seconds since the start. */
  now = 0;
  readonly deadLetters: unknown[] = [];
  readonly confirmedUsers: { userId: string; entries: readonly Confirmation[] }[] = [];
  readonly confirmedCalls: { callId: string; rev: number }[] = [];
  /** Ids of objects that do not answer. */
  readonly unreachable = new Set<string>();
  deliveries = 0;
  readonly env: LedgerEnv;
  private waiting: Waiting[] = [];

  constructor(postgres: Postgres, backoffSeconds = "2") {
    this.env = {
      DATABASE_URL: postgres.databaseUrl,
      NEON_LOCAL: postgres.neonLocal,
      LEDGER_BACKOFF_SECONDS: backoffSeconds,
      LEDGER: { send: async (body, options) => this.push(body, options?.delaySeconds ?? 0, 0) },
      DEAD_LETTERS: { send: async (body) => this.deadLetters.push(body) },
      USERS: {
        getByName: (userId) => ({
          ledgerConfirmed: async (entries) => this.told(userId, () => this.confirmedUsers.push({ userId, entries })),
        }),
      },
      CALLS: {
        getByName: (callId) => ({
          ledgerConfirmed: async (rev) => this.told(callId, () => this.confirmedCalls.push({ callId, rev })),
        }),
      },
    };
  }

  get size(): number {
    return this.waiting.length;
  }

  send(...bodies: unknown[]): void {
    for (const body of bodies) this.push(body, 0, 0);
  }

  /** Delivers all that is due now, as one batch. */
  async deliver(): Promise<void> {
    const due = this.waiting.filter((message) => message.due <= this.now);
    this.waiting = this.waiting.filter((message) => message.due > this.now);
    if (due.length === 0) return;
    this.deliveries += due.length;
    const settled = new Set<Waiting>();
    await consume({ messages: due.map((message) => this.message(message, settled)) }, this.env);
    if (settled.size !== due.length) throw new Error("a message was neither acked nor retried");
  }

  /** Lets time pass up to the given second, delivering each message when it is due. */
  async run(until: number): Promise<void> {
    for (;;) {
      await this.deliver();
      const next = Math.min(...this.waiting.map(({ due }) => due));
      if (next > until) break;
      this.now = next;
    }
    this.now = until;
  }

  private push(body: unknown, delay: number, attempts: number): void {
    // Structured clone, as the queue does: nothing is shared with the sender.
    this.waiting.push({ body: structuredClone(body), due: this.now + delay, attempts });
  }

  private message(waiting: Waiting, settled: Set<Waiting>) {
    const attempts = waiting.attempts + 1;
    return {
      body: waiting.body,
      attempts,
      ack: () => void settled.add(waiting),
      retry: (options?: { delaySeconds?: number }) => {
        settled.add(waiting);
        if (attempts > 100) this.deadLetters.push(waiting.body);
        else this.push(waiting.body, options?.delaySeconds ?? 0, attempts);
      },
    };
  }

  private told(id: string, keep: () => void): void {
    if (this.unreachable.has(id)) throw new Error("the object does not answer");
    keep();
  }
}
