import type { LedgerEvent } from "../../schema/ledger.ts";
import { failure, log, short } from "../log.ts";
import { backoffBase, MAX_REFUSALS, outageDelay, refusalDelay } from "./backoff.ts";
import { type ConfirmTargets, confirm } from "./confirm.ts";
import { type Database, type DatabaseEnv, openDatabase } from "./database.ts";
import { type Delivery, type Entry, type RefusedEvent, sortBatch } from "./delivery.ts";
import { type Failure, failureOf } from "./failure.ts";
import { writeEvents } from "./writes.ts";

/** A queue, as far as the ledger sends to it. */
interface Outlet {
  send(body: unknown, options?: { delaySeconds?: number }): Promise<unknown>;
}

export interface LedgerEnv extends DatabaseEnv, ConfirmTargets {
  /** First back-off in seconds, doubled with each attempt. */
  readonly LEDGER_BACKOFF_SECONDS: string;
  readonly LEDGER: Outlet;
  readonly DEAD_LETTERS: Outlet;
}

/** What lies in the dead-letter queue: why, and the message as it came. */
export interface DeadLetter {
  readonly reason: string;
  readonly body: unknown;
}

type Written = { readonly kind: "written" } | Failure;

/** The consumer of the ledger's queue, and the only writer of Postgres. Every message is acked or retried. */
export async function consume(batch: { readonly messages: readonly Delivery[] }, env: LedgerEnv): Promise<void> {
  const { entries, invalid } = sortBatch(batch.messages);
  for (const { delivery, reason } of invalid) await bury(env, [delivery], { reason, body: delivery.body });
  if (entries.length === 0) return;
  const db = openDatabase(env);
  const written = await write(db, entries);
  if (written.kind === "refused" && entries.length > 1) await consumeOneByOne(db, env, entries);
  else await settle(env, entries, written);
}

/** One poisonous event among many must not hold up the others. */
async function consumeOneByOne(db: Database, env: LedgerEnv, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) await settle(env, [entry], await write(db, [entry]));
}

async function write(db: Database, entries: readonly Entry[]): Promise<Written> {
  try {
    await writeEvents(db, entries.map(eventOf));
    return { kind: "written" };
  } catch (error) {
    return failureOf(error);
  }
}

async function settle(env: LedgerEnv, entries: readonly Entry[], written: Written): Promise<void> {
  switch (written.kind) {
    case "written":
      log("ledger_written", { events: entries.length });
      await confirm(env, entries.map(eventOf));
      for (const { deliveries } of entries) ack(deliveries);
      return;
    case "unavailable":
      log("ledger_unavailable", { events: entries.length, code: written.code });
      for (const { deliveries } of entries) waitOut(env, deliveries);
      return;
    case "refused":
      for (const entry of entries) await refuse(env, entry, written);
  }
}

function waitOut(env: LedgerEnv, deliveries: readonly Delivery[]): void {
  const base = backoffBase(env.LEDGER_BACKOFF_SECONDS);
  for (const delivery of deliveries) delivery.retry({ delaySeconds: outageDelay(base, delivery.attempts) });
}

/** Refused for its content. What it refers to is never missing, so that it is early is no reason. */
async function refuse(env: LedgerEnv, { event, deliveries, ...entry }: Entry, failed: Failure): Promise<void> {
  const refusals = entry.refusals + 1;
  const reason = describeFailure(failed);
  log("ledger_refused", { kind: event.kind, id: short(idOf(event)), refusals, reason });
  if (refusals >= MAX_REFUSALS) {
    const buried = await bury(env, deliveries, { reason, body: event });
    if (buried) await confirm(env, [event]);
    return;
  }
  const again: RefusedEvent = { kind: "refused", refusals, event };
  const delaySeconds = refusalDelay(backoffBase(env.LEDGER_BACKOFF_SECONDS), refusals);
  await pass(env, deliveries, () => env.LEDGER.send(again, { delaySeconds }));
}

async function bury(env: LedgerEnv, deliveries: readonly Delivery[], letter: DeadLetter): Promise<boolean> {
  const buried = await pass(env, deliveries, () => env.DEAD_LETTERS.send(letter));
  if (buried) log("ledger_dead_letter", { reason: letter.reason });
  return buried;
}

/** Messages go only once what takes their place is in a queue. */
async function pass(env: LedgerEnv, deliveries: readonly Delivery[], send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send();
    ack(deliveries);
    return true;
  } catch (error) {
    log("ledger_queue_failed", { failure: failure(error) });
    waitOut(env, deliveries);
    return false;
  }
}

function ack(deliveries: readonly Delivery[]): void {
  for (const delivery of deliveries) delivery.ack();
}

function eventOf(entry: Entry): LedgerEvent {
  return entry.event;
}

function idOf(event: LedgerEvent): string {
  return event.kind === "call" || event.kind === "push" ? event.callId : event.userId;
}

function describeFailure(failed: Failure): string {
  switch (failed.kind) {
    case "refused":
      return failed.constraint === null ? failed.code : `${failed.code} ${failed.constraint}`;
    case "unavailable":
      return failed.code ?? "no answer";
  }
}
