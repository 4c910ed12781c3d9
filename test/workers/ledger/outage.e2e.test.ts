import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DevTokenResponse, HistoryResponse } from "../../../schema/http.ts";
import { type Edge, startEdge } from "../../../tools/edge/start.ts";
import { type Postgres, startPostgres } from "../../../tools/postgres/start.ts";
import { fillFolder, temporaryFolder } from "../../support/data-folder.ts";
import { Device } from "../../support/device.ts";

/** The edge as `npm start` runs it, in a process of its own that can be killed. */
let postgres: Postgres;
let edge: Edge;
const folder = temporaryFolder();

async function boot(): Promise<Edge> {
  const vars = {
    DEVELOPMENT: "on",
    NEON_LOCAL: postgres.neonLocal,
    DATABASE_URL: postgres.databaseUrl,
    LEDGER_RETRY_SECONDS: "2",
    LEDGER_BACKOFF_SECONDS: "0",
    JWT_SECRET: "a-secret-of-the-tests-of-32-bytes",
    SERVER_KEY: "server-key-of-the-tests",
    SFU_NODE_KEY: "node-key-of-the-tests",
    CALL_TOKEN_SECRET: "call-tokens-of-the-tests-of-32-bytes",
    TURN_SECRET: "turn-secret-of-the-tests",
  };
  return startEdge({ dataDir: join(folder, "edge"), vars });
}

beforeAll(async () => {
  await fillFolder(folder);
  postgres = await startPostgres({ dataDir: folder, log: () => {} });
  edge = await boot();
});
afterAll(async () => {
  await edge.close();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

async function device(name: string): Promise<{ device: Device; token: string }> {
  const body = JSON.stringify({ name });
  const answer = await fetch(`${edge.url}/api/dev/token`, { method: "POST", body });
  const { token, userId } = DevTokenResponse.parse(await answer.json());
  const opened = await Device.open(`${edge.url.replace("http", "ws")}/ws`, token, userId, randomUUID());
  await opened.register();
  return { device: opened, token };
}

/** A whole call; @returns its id and the caller's token */
async function call(): Promise<{ callId: string; token: string }> {
  const [ada, bob] = [await device("Ada"), await device("Bob")];
  const asked = { idempotencyKey: randomUUID(), calleeIds: [bob.device.userId], callType: "video" as const };
  ada.device.send({ type: "call_initiate", ...asked, sdp: "offer" });
  const { callId } = await bob.device.next("incoming_call");
  bob.device.send({ type: "call_answer", callId, sdp: "answer" });
  await ada.device.next("call_connected");
  await ada.device.ask({ type: "call_end", callId });
  return { callId, token: ada.token };
}

async function outcome(token: string, callId: string): Promise<string | null | undefined> {
  const answer = await fetch(`${edge.url}/api/calls`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) return undefined;
  return HistoryResponse.parse(await answer.json()).calls.find(({ id }) => id === callId)?.outcome;
}

test("[LEDGER-2] an edge killed right after a hang-up has lost nothing: the history is there when it is back", async () => {
  const { callId, token } = await call();
  edge.kill();
  await edge.exited;
  edge = await boot();
  await expect.poll(() => outcome(token, callId)).toBe("completed");
});

test("[LEDGER-3] with the database down calls ring, connect and end, and their history is complete once it is back", async () => {
  await postgres.endpoint?.stop();
  const calls = [await call(), await call(), await call()];
  const answer = await fetch(`${edge.url}/api/calls`, { headers: { authorization: `Bearer ${calls[0]?.token}` } });
  expect(answer.status).toBe(503);
  await postgres.endpoint?.start();
  for (const { token, callId } of calls) {
    await expect.poll(() => outcome(token, callId)).toBe("completed");
  }
});
