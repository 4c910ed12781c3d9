import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Device } from "../support/device.ts";
import { Edge, type Person, SECRETS } from "../support/edge.ts";
import { expectRefusal } from "../support/refused.ts";

/** What one address may send without a valid token in a minute: the rate limit of wrangler.toml. */
const LIMIT = 600;
/** A minute may turn while the test counts: then as many again are let through. */
const ATTEMPTS = 2 * LIMIT + 2;

let edge: Edge;
let ada: Person;
beforeAll(async () => {
  edge = await Edge.start();
  ada = await edge.person("Ada");
});
afterAll(() => edge.close());

/** Asks wrongly until the answer is another than 401. */
async function untilLimited(ask: () => Promise<number | undefined>): Promise<number | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const status = await ask();
    if (status !== 401) return status;
  }
  throw new Error(`${ATTEMPTS} wrong tokens were heard out`);
}

test("[SAFE-6] too many wrong tokens and keys from one address get 429, on routes and sockets; good ones are let in", async () => {
  const answers: Response[] = [];
  const status = await untilLimited(async () => {
    const answer = await edge.fetch("/api/calls", { headers: { authorization: "Bearer wrong" } });
    answers.push(answer);
    return answer.status;
  });
  expect(status).toBe(429);
  const [last] = answers.slice(-1);
  expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0);
  if (last) await expectRefusal(last, 429, "rate_limited");

  for (const path of ["/ws", `/calls/${randomUUID()}/ws`]) {
    expect(await untilLimited(() => Device.refusal(`${edge.ws}${path}`, "wrong"))).toBe(429);
  }
  for (const [method, path] of [
    ["PUT", `/api/users/${ada.userId}`],
    ["GET", "/sfu/nodes?region=local"],
    ["GET", `/sfu/rooms/${randomUUID()}?epoch=1&nodeId=${randomUUID()}`],
  ] as const) {
    const init = { method, headers: { authorization: "Bearer wrong" } };
    expect(await untilLimited(async () => (await edge.fetch(path, init)).status)).toBe(429);
  }
  expect((await edge.as(ada, "/api/devices")).status).toBe(200);
  const put = { method: "PUT", body: JSON.stringify({ name: "Ada" }) };
  const asServer = { ...put, headers: { authorization: `Bearer ${SECRETS.SERVER_KEY}` } };
  expect((await edge.fetch(`/api/users/${ada.userId}`, asServer)).status).toBe(200);
  const device = await edge.device(ada);
  expect(device.story()).toEqual(["registered"]);
});

test("[SAFE-6] as many good tokens as anybody likes count for nothing", async () => {
  for (let i = 0; i < LIMIT + 50; i++) {
    const answer = await edge.as(ada, "/api/settings");
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
  }
});
