import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TOKEN_NOTICE_MS } from "../../../schema/limits.ts";
import { signCallToken } from "../../../workers/http/call-token.ts";
import { type Person, person, WorkerdDevice } from "../../support/workerd-device.ts";

/** Of the tests' issuer, as vitest.config.ts sets it. */
const SECRET = "a-secret-of-the-tests-of-32-bytes";
/** Tokens count whole seconds. */
const START = Math.ceil(Date.now() / 1000) * 1000;
const LEASE_MS = 300_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

async function tokenOf({ userId }: Person, ms = LEASE_MS): Promise<string> {
  const jwt = new SignJWT({ name: "Ada" }).setProtectedHeader({ alg: "HS256" }).setSubject(userId);
  return jwt.setExpirationTime((Date.now() + ms) / 1000).sign(new TextEncoder().encode(SECRET));
}

/** A call under way; Ada's call socket was opened with a token of five minutes. */
async function talking() {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [caller, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
  for (const device of [caller, phone]) await device.connect();
  caller.send({ type: "call_initiate", idempotencyKey: "1", calleeIds: [bob.userId], callType: "video", sdp: "offer" });
  const { callId } = await caller.next("call_initiated");
  await phone.ask({ type: "call_answer", callId, sdp: "answer" });
  phone.send({ type: "call_media", callId, state: "connected" });
  await caller.next("call_state");
  const socket = await opened({ ...ada, token: await tokenOf(ada) }, caller.deviceId, callId);
  return { callId, ada, bob, caller, phone, socket };
}

async function opened(who: Person, deviceId: string, callId: string): Promise<WorkerdDevice> {
  const socket = new WorkerdDevice(who, deviceId);
  await socket.connect(`/calls/${callId}/ws`);
  return socket;
}

/** Lets time pass, and the call's alarm fire: it comes no later than it is due. */
async function pass(ms: number, callId: string): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(env.CALLS.getByName(callId));
}

describe("[CONN-8] the token of an open call socket", () => {
  test("gets notice when it expires, and closes it after a minute; the call goes on", async () => {
    const { callId, caller, socket } = await talking();
    await pass(LEASE_MS - 1, callId);
    await socket.settle();
    expect(socket.story()).not.toContain("error");
    await pass(1, callId);
    expect(await socket.next("error")).toMatchObject({ code: "unauthorized" });
    await pass(TOKEN_NOTICE_MS - 1, callId);
    await socket.settle();
    expect(socket.closed).toBeNull();
    await pass(1, callId);
    expect(await socket.untilClosed()).toMatchObject({ code: 4002 });
    expect(await caller.ask({ type: "call_sync", callId })).toMatchObject({ state: "connected" });
  });

  test("is renewed there, also after the notice and an eviction", async () => {
    const { callId, ada, socket } = await talking();
    await pass(LEASE_MS, callId);
    await socket.next("error");
    await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "hibernate" });
    const renewed = await socket.ask({ type: "token_refresh", token: await tokenOf(ada) });
    const expiresAt = new Date(START + 2 * LEASE_MS).toISOString();
    expect(renewed).toMatchObject({ type: "token_refreshed", expiresAt });
    await pass(LEASE_MS - 1, callId);
    await socket.settle();
    expect([socket.closed, socket.story().filter((type) => type === "error")]).toEqual([null, ["error"]]);
    await pass(1, callId);
    await pass(TOKEN_NOTICE_MS, callId);
    expect(await socket.untilClosed()).toMatchObject({ code: 4002 });
  });

  test("is not renewed by somebody else's, a bad or an expired one", async () => {
    const { callId, ada, bob, socket } = await talking();
    for (const token of [bob.token, "none", await tokenOf(ada, -10_000)]) {
      expect(await socket.ask({ type: "token_refresh", token })).toMatchObject({ code: "unauthorized" });
    }
    await pass(LEASE_MS, callId);
    await pass(TOKEN_NOTICE_MS, callId);
    expect(await socket.untilClosed()).toMatchObject({ code: 4002 });
  });

  test("is that of a call, too; a token of its user renews it", async () => {
    const { callId, bob, phone } = await talking();
    const grant = { userId: bob.userId, callId, deviceId: phone.deviceId };
    const ringUntil = Date.now() + LEASE_MS - 3_600_000;
    const socket = await opened({ ...bob, token: await signCallToken(env, grant, ringUntil) }, phone.deviceId, callId);
    await pass(LEASE_MS, callId);
    expect(await socket.next("error")).toMatchObject({ code: "unauthorized" });
    await socket.ask({ type: "token_refresh", token: await tokenOf(bob) });
    await pass(TOKEN_NOTICE_MS, callId);
    await socket.settle();
    expect(socket.closed).toBeNull();
  });
});

test("[CONN-2] a token is not renewed before the socket has registered", async () => {
  const { callId, ada } = await talking();
  const stranger = new WorkerdDevice(ada);
  await stranger.dial(`/calls/${callId}/ws`);
  expect(await stranger.ask({ type: "token_refresh", token: await tokenOf(ada) })).toMatchObject({ code: "forbidden" });
});
