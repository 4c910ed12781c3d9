import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { calls } from "../../../schema/db/tables.ts";
import type { UserEvent } from "../../../schema/ledger.ts";
import { type Database, openDatabase } from "../../../workers/ledger/database.ts";
import { Edge } from "../../support/edge.ts";
import { type Cast, cast, ended, ringing, userEvent } from "../../support/ledger-events.ts";

/** The consumer where it is deployed: in workerd, fed by the platform's own queue. */

interface Queues {
  readonly LEDGER: { send(body: unknown): Promise<unknown> };
}

let edge: Edge;
let queue: Queues["LEDGER"];
let db: Database;
let ann: UserEvent;
let bob: UserEvent;

beforeAll(async () => {
  edge = await Edge.start();
  const { databaseUrl, neonLocal } = edge.postgres;
  db = openDatabase({ DATABASE_URL: databaseUrl, NEON_LOCAL: neonLocal });
  queue = (await edge.harness.getWorker<Queues>().getEnv()).LEDGER;
});
afterAll(() => edge.close());

beforeEach(async () => {
  ann = userEvent({ userId: randomUUID(), name: "Ann" });
  bob = userEvent({ userId: randomUUID(), name: "Bob" });
  await send(ann, bob);
});
afterEach(() => db.execute(sql`truncate users cascade`));

async function send(...events: unknown[]): Promise<void> {
  for (const event of events) await queue.send(event);
}

function people(): Cast {
  return { ...cast({ caller: ann.userId, callee: bob.userId }), callId: randomUUID() };
}

function states(): Promise<{ id: string; state: string }[]> {
  return db.select({ id: calls.id, state: calls.state }).from(calls).orderBy(calls.createdAt);
}

function logged(event: string): boolean {
  return edge.harness.getLogs().some(({ message }) => message.includes(`"${event}"`));
}

it("writes what the queue brings", async () => {
  const call = people();
  await send(ringing(call), ended(call));
  await expect.poll(states).toEqual([{ id: call.callId, state: "ended" }]);
});

it("writes what the queue held while the database was down", async () => {
  const call = people();
  await edge.postgres.endpoint?.stop();
  edge.harness.clearLogs();
  await send(ringing(call), ended(call));
  await expect.poll(() => logged("ledger_unavailable")).toBe(true);
  await edge.postgres.endpoint?.start();
  await expect.poll(states).toEqual([{ id: call.callId, state: "ended" }]);
});

it("[LEDGER-4] lays what Postgres cannot hold with the dead letters, and writes the others of its batch", async () => {
  const call = people();
  edge.harness.clearLogs();
  await send({ ...ann, rev: ann.rev + 1, name: "nul \u0000" }, ended(call));
  await expect.poll(states).toEqual([{ id: call.callId, state: "ended" }]);
  await expect.poll(() => logged("ledger_dead_letter")).toBe(true);
});

it("[LEDGER-5] writes a call of somebody of whom nobody has told it yet", async () => {
  const call = people();
  await send(ended({ ...call, caller: randomUUID() }));
  await expect.poll(states).toEqual([{ id: call.callId, state: "ended" }]);
});
