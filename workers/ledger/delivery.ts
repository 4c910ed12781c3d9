import * as z from "zod";
import { describe } from "../../schema/errors.ts";
import { LedgerEvent } from "../../schema/ledger.ts";

/** A message of the queue, as much of it as the ledger uses. */
export interface Delivery {
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/**
 * An event that Postgres refused, on its way round the queue again. It counts its refusals itself:
 * `attempts` of the queue also counts every delivery of an outage, and one refusal after a long
 * outage would then be the last.
 */
export const RefusedEvent = z.object({
  kind: z.literal("refused"),
  refusals: z.int().positive(),
  event: LedgerEvent,
});
export type RefusedEvent = z.infer<typeof RefusedEvent>;

const Body = z.discriminatedUnion("kind", [LedgerEvent, RefusedEvent]);

/** All that a batch says of one user, device, call or push: its newest event, and the messages it settles. */
export interface Entry {
  readonly event: LedgerEvent;
  readonly refusals: number;
  readonly deliveries: readonly Delivery[];
}

export interface Sorted {
  /** In the order of their ids, so that two batches at once lock rows in the same order. */
  readonly entries: readonly Entry[];
  readonly invalid: readonly { readonly delivery: Delivery; readonly reason: string }[];
}

/** Message bodies are checked here, and only here. */
export function sortBatch(deliveries: readonly Delivery[]): Sorted {
  const entries = new Map<string, Entry>();
  const invalid: { delivery: Delivery; reason: string }[] = [];
  for (const delivery of deliveries) {
    const parsed = Body.safeParse(delivery.body);
    if (parsed.success) {
      const entry = entryOf(parsed.data, delivery);
      const key = identity(entry.event);
      entries.set(key, merge(entries.get(key), entry));
    } else {
      invalid.push({ delivery, reason: describe(parsed.error) });
    }
  }
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  return { entries: sorted, invalid };
}

function entryOf(body: z.infer<typeof Body>, delivery: Delivery): Entry {
  if (body.kind === "refused") return { event: body.event, refusals: body.refusals, deliveries: [delivery] };
  return { event: body, refusals: 0, deliveries: [delivery] };
}

function merge(known: Entry | undefined, next: Entry): Entry {
  if (!known) return next;
  const newest = order(known.event) > order(next.event) ? known : next;
  const repeated = order(known.event) === order(next.event);
  return {
    event: newest.event,
    refusals: repeated ? Math.max(known.refusals, next.refusals) : newest.refusals,
    deliveries: [...known.deliveries, ...next.deliveries],
  };
}

/** Which of two events about the same thing is newer. */
function order(event: LedgerEvent): number {
  return event.kind === "push" ? event.attempts : event.rev;
}

/** Users before their devices and calls, so that tried one by one each finds what it refers to. */
function identity(event: LedgerEvent): string {
  switch (event.kind) {
    case "user":
      return `1:${event.userId}`;
    case "device":
      return `2:${event.deviceId}:${event.userId}`;
    case "call":
      return `3:${event.callId}`;
    case "push":
      return `4:${event.callId}:${event.userId}:${event.deviceId}:${event.purpose}`;
  }
}
