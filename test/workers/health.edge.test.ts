import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { FLEET_PROTOCOL, type NodeMessage } from "../../schema/fleet.ts";
import { HealthResponse } from "../../schema/http.ts";
import { Edge, SECRETS } from "../support/edge.ts";
import { expectRefusal } from "../support/refused.ts";
import { connect, scene } from "../support/scene.ts";

const NODE = { authorization: `Bearer ${SECRETS.SFU_NODE_KEY}` };
/** The answer is kept for two seconds, and the ledger's batch waits for one. */
const SOON = { interval: 200 };

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

async function health() {
  const answer = await edge.fetch("/health");
  const { services, ...rest } = HealthResponse.strict().parse(await answer.json());
  const { sfu, postgres, queue, websocket } = services;
  return {
    ...rest,
    code: answer.status,
    nodes: sfu.nodes,
    services: [postgres, queue, websocket, sfu].map((s) => s.status),
  };
}

/** An SFU node as far as the fleet can tell. */
async function dialNode(): Promise<WebSocket> {
  const node = new WebSocket(`${edge.ws}/sfu/nodes?region=local`, { headers: NODE });
  await once(node, "open");
  const registration: NodeMessage = {
    type: "node_register",
    nodeId: randomUUID(),
    region: "local",
    version: "1",
    protocol: FLEET_PROTOCOL,
    capacity: { workers: 1, consumers: 100 },
    announcedAddress: "127.0.0.1",
    pushRelay: false,
  };
  node.send(JSON.stringify(registration));
  await once(node, "message");
  return node;
}

describe("[HTTP-5] GET /health", () => {
  test("without an SFU node it is 503 and says so; with one it is 200, and again without", async () => {
    expect(await health()).toMatchObject({
      code: 503,
      status: "degraded",
      services: ["ok", "ok", "ok", "down"],
      nodes: 0,
    });
    const node = await dialNode();
    const fine = { code: 200, status: "ok", services: ["ok", "ok", "ok", "ok"], nodes: 1 };
    await expect.poll(health, SOON).toMatchObject(fine);
    node.terminate();
    await expect.poll(health, SOON).toMatchObject({ code: 503, nodes: 0 });
  });

  test("counts connections and calls", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    await expect.poll(health, SOON).toMatchObject({ activeConnections: 4, activeCalls: 1 });
    await people.caller.ask({ type: "call_end", callId });
    await people.tablet.close();
    await expect.poll(health, SOON).toMatchObject({ activeConnections: 3, activeCalls: 0 });
  });

  test("[LEDGER-3] while the database is down it says which service is, the history is 503, and calls go on", async () => {
    const people = await scene(edge);
    await edge.postgres.endpoint?.stop();
    try {
      await expect.poll(health, SOON).toMatchObject({ code: 503, services: ["down", "ok", "ok", "down"] });
      for (const path of ["/api/calls", "/api/contacts"]) {
        await expectRefusal(await edge.as(people.ada, path), 503, "internal");
      }
      const callId = await connect(people);
      expect(await people.caller.ask({ type: "call_end", callId })).toMatchObject({ outcome: "completed" });
      expect((await edge.as(people.ada, "/api/ice-servers")).status).toBe(200);
    } finally {
      await edge.postgres.endpoint?.start();
    }
    await expect.poll(health, SOON).toMatchObject({ services: ["ok", "ok", "ok", "down"] });
    expect((await edge.as(people.ada, "/api/calls")).status).toBe(200);
  });
});

describe("GET /sfu/nodes", () => {
  test.each([
    ["the wrong key", { authorization: "Bearer of-another-fleet" }, 401, "unauthorized"],
    ["no upgrade", NODE, 426, "bad_message"],
  ] as const)("%s", async (_title, headers, status, code) => {
    await expectRefusal(await edge.fetch("/sfu/nodes?region=local", { headers }), status, code);
  });

  test.each(["", "?region=", "?region=Local", "?region=-", `?region=${"r".repeat(33)}`])(
    "an upgrade with %j names no region",
    async (query) => {
      const node = new WebSocket(`${edge.ws}/sfu/nodes${query}`, { headers: NODE });
      node.on("error", () => {});
      const [, response] = await once(node, "unexpected-response");
      node.terminate();
      expect(response.statusCode).toBe(400);
    },
  );
});
