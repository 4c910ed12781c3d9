import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "vitest";
import * as z from "zod";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

const Spread = z.object({ p50: z.number().positive(), p95: z.number().positive(), max: z.number().positive() });

const Forwarding = z.object({
  packetsPerSecond: z.number().positive(),
  subjects: z.array(
    z.object({
      subject: z.string(),
      workerUs: z.number().nonnegative(),
      times: z.number().positive(),
      delivered: z.number(),
      consumers: z.int(),
    }),
  ),
});

const Joins = z.array(z.object({ participants: z.int(), first: Spread, all: Spread }));

const Gaps = z.object({ people: z.int(), kill: z.object({ times: z.int(), ofAnybody: Spread, ofEach: Spread }) });

const Latency = z.array(z.object({ delayMs: z.number(), peerToPeer: Spread, sfu: Spread, pictures: z.int() }));

async function bench(part: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--smoke", "--json", "--only", part]);
  return JSON.parse(stdout);
}

test.concurrent("a short bench forwards the same packets by mediasoup alone and by a room, and says what each costs", async ({
  expect,
}) => {
  const {
    forwarding: [forwarding],
  } = z.object({ forwarding: z.tuple([Forwarding]) }).parse(await bench("forwarding"));
  expect(forwarding.subjects.map(({ subject }) => subject)).toEqual(["bare", "levels", "ours"]);
  // One sends sound and picture, one receives them; who listens for levels consumes the sound too.
  expect(forwarding.subjects.map(({ consumers }) => consumers)).toEqual([2, 3, 3]);
  expect(forwarding.subjects.filter(({ delivered }) => delivered < 0.5)).toEqual([]);
});

test.concurrent("a Chromium that joins a call sees who is in it", async ({ expect }) => {
  const { joins } = z.object({ joins: Joins }).parse(await bench("joins"));
  expect(joins.map(({ participants }) => participants)).toEqual([2]);
});

test.concurrent("a call whose node is killed goes on, and how long each missed each is told", async ({ expect }) => {
  const { gaps } = z.object({ gaps: Gaps }).parse(await bench("gaps"));
  expect(gaps.kill.times).toBe(1);
});

test.concurrent("pictures are as old as the network makes them, peer to peer and through the SFU", async ({
  expect,
}) => {
  const { latency } = z.object({ latency: Latency }).parse(await bench("latency"));
  expect(latency.map(({ delayMs }) => delayMs)).toEqual([5]);
  for (const { peerToPeer, sfu, pictures } of latency) {
    expect(pictures).toBeGreaterThan(2);
    // Nothing is there before the network can have brought it: twice 5 ms.
    expect(Math.min(peerToPeer.p50, sfu.p50)).toBeGreaterThan(10);
  }
});
