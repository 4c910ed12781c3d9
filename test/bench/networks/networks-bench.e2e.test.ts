import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { hindrance } from "../../support/network/namespace.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

const Report = z.object({
  calls: z.int(),
  shares: z.object({ host: z.number(), srflx: z.number(), relay: z.number() }),
  networks: z.array(
    z.object({
      networks: z.string(),
      way: z.string(),
      firstFrame: z.object({ p50: z.number().positive(), p95: z.number().positive() }),
    }),
  ),
});

const hindered = await hindrance();
beforeEach(({ skip }) => skip(hindered !== null, hindered ?? ""));

test("a short bench says which way media took and how soon the first picture was there", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--smoke", "--json"]);
  const { calls, shares, networks } = Report.parse(JSON.parse(stdout));
  expect(calls).toBe(2);
  expect(shares).toEqual({ host: 0.5, srflx: 0, relay: 0.5 });
  expect(networks.map(({ networks: name, way }) => [name, way])).toEqual([
    ["one network", "host"],
    ["only TCP 443 and only TCP 443", "relay tls"],
  ]);
});
