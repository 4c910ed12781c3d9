import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TokenLease } from "../../client/token-lease.ts";
import { connectClient } from "../support/scripted-client.ts";
import { ScriptedEdge } from "../support/scripted-edge.ts";
import { callId, Scene } from "./call-scene.ts";

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
/** @param seconds until it expires */
const tokenFor = (seconds: number, now = Date.now()) =>
  `${base64url({ alg: "HS256" })}.${base64url({ sub: "somebody", name: "Zoë", exp: now / 1000 + seconds })}.signature`;

describe("[CONN-8] the token of an open socket", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function lease(tokens: string[]) {
    const renewed: string[] = [];
    const token = async () => tokens.shift() ?? Promise.reject(new Error("the app's server is away"));
    const held = new TokenLease({ token, renew: (next) => void renewed.push(next), now: Date.now });
    return { held, renewed };
  }

  test("is renewed a minute before it expires, again and again", async () => {
    const [first, second] = [tokenFor(7_200), tokenFor(10_800)];
    const { held, renewed } = lease([first, second]);
    held.holds(tokenFor(3_600));
    await vi.advanceTimersByTimeAsync(3_539_000);
    expect(renewed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(renewed).toEqual([first]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(renewed).toEqual([first, second]);
  });

  test.each([
    ["is no newer", [tokenFor(60)]],
    ["does not say when it expires", ["a.b.c"]],
    ["cannot be had", []],
  ])("is left alone when the next one %s", async (_title, tokens) => {
    const { held, renewed } = lease(tokens);
    held.holds(tokenFor(90));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(renewed).toEqual([]);
  });

  test("is left alone once the socket is closed, and when it says nothing", async () => {
    const { held, renewed } = lease([tokenFor(7_200)]);
    held.holds(tokenFor(3_600));
    held.end();
    held.holds("opaque");
    await vi.advanceTimersByTimeAsync(7_200_000);
    expect(renewed).toEqual([]);
  });
});

describe("[CONN-8] a socket whose token runs out", () => {
  let edge: ScriptedEdge;
  beforeEach(async () => {
    edge = await ScriptedEdge.start();
  });
  afterEach(() => edge.stop());

  test("gets a newer one when the server gives notice, and comes back with one after it was closed", async () => {
    const [first, second, third] = [tokenFor(3_600), tokenFor(7_200), tokenFor(9_000)];
    const tokens = [first, second, third];
    const { switchboard, socket } = await connectClient(edge, () => tokens.shift() ?? "a.b.c");
    socket.send({ type: "error", code: "unauthorized", message: "the token has expired" });
    expect(await socket.next("token_refresh")).toMatchObject({ token: second });
    socket.close(4002);
    const again = await edge.connection("/ws");
    expect(again.protocols).toContain(`bearer.${third}`);
    expect(await again.next("register")).toMatchObject({ since: 7 });
    switchboard.close();
  });

  test("is renewed on the socket of the call, too: each has a token of its own", async () => {
    const [first, second] = [tokenFor(3_600), tokenFor(7_200)];
    let token = first;
    const client = await connectClient(edge, () => token);
    await new Scene(edge, client).initiate();
    const socket = await edge.registered(`/calls/${callId}/ws`, client.userId);
    token = second;
    socket.send({ type: "error", code: "unauthorized", message: "the token has expired" });
    expect(await socket.next("token_refresh")).toMatchObject({ token: second });
    expect(await client.socket.next("token_refresh")).toMatchObject({ token: second });
    client.switchboard.close();
  });
});
