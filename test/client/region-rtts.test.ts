import { describe, expect, test, vi } from "vitest";
import { RegionRtts } from "../../client/region-rtts.ts";
import { connectClient } from "../support/scripted-client.ts";
import { ScriptedEdge } from "../support/scripted-edge.ts";
import { bob, bobsPhone, callId } from "./call-scene.ts";

const NEAR = "https://near.example/ping";
const FAR = "https://far.example/ping";
const DEAD = "https://dead.example/ping";
const REGIONS = [
  { region: "near", pingUrl: NEAR },
  { region: "far", pingUrl: FAR },
  { region: "dead", pingUrl: DEAD },
];

/** Round trips of ways by which each request is answered when its turn has come. */
const WAYS: Readonly<Record<string, number>> = { [NEAR]: 12, [FAR]: 140 };

function world(regions = async () => ({ regions: REGIONS })) {
  const asked: string[] = [];
  const connected = new Set<string>();
  const clock = { now: 1_000 };
  let turn: Promise<unknown> = Promise.resolve();
  const answer = (url: string): Response => {
    asked.push(url);
    const way = WAYS[url];
    if (way === undefined) throw new TypeError("fetch failed");
    clock.now += connected.has(url) ? way : 3 * way;
    connected.add(url);
    return new Response(null, { status: 404 });
  };
  const fetch = (input: RequestInfo | URL): Promise<Response> => {
    const answered = turn.then(() => answer(String(input)));
    turn = answered.catch(() => {});
    return answered;
  };
  return { asked, clock, api: { regions }, rtts: new RegionRtts({ fetch, now: () => clock.now }) };
}

describe("[FLEET-5] the way to a region", () => {
  test("is one round trip on a connection that is open; one that cannot be reached is left out", async () => {
    const { rtts, api } = world(async () => ({ regions: REGIONS.filter(({ region }) => region !== "far") }));
    expect(rtts.measured).toEqual([]);
    await rtts.measure(api);
    expect(rtts.measured).toEqual([{ region: "near", ms: 12 }]);
  });

  test("is measured again after ten minutes, not before", async () => {
    const { rtts, api, asked, clock } = world();
    await rtts.measure(api);
    const first = asked.length;
    await rtts.measure(api);
    expect(asked.length).toBe(first);
    clock.now += 10 * 60_000;
    await rtts.measure(api);
    expect(asked.length).toBe(2 * first);
  });

  test("is not known where the deployment does not say where to measure", async () => {
    const { rtts, api, asked } = world(() => Promise.reject(new Error("not_found")));
    await rtts.measure(api);
    expect([rtts.measured, asked]).toEqual([[], []]);
  });
});

test("[FLEET-2] the SDK says on a call socket what it has measured", async () => {
  const edge = await ScriptedEdge.start();
  const fetch = vi.fn(async (input: RequestInfo | URL) =>
    String(input).endsWith("/api/regions") ? Response.json({ regions: [REGIONS[0]] }) : new Response(),
  );
  const { switchboard, socket: userSocket } = await connectClient(edge, undefined, { fetch });
  await expect.poll(() => fetch).toHaveBeenCalledTimes(3);
  const answered = new Promise<void>((resolve) =>
    switchboard.incoming.subscribe((call) => resolve(call.answer({ video: false }))),
  );
  const caller = { ...bob, ...bobsPhone };
  userSocket.send({ type: "incoming_call", callId, rev: 1, caller, callType: "group", remainingMs: 20_000 });
  const socket = await edge.connection(`/calls/${callId}/ws`);
  expect(await socket.next("register")).toMatchObject({ rtts: [{ region: "near", ms: expect.any(Number) }] });
  switchboard.close();
  await expect(answered).rejects.toMatchObject({ code: "closed" });
  await edge.stop();
});
