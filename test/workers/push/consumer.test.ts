import { exportPKCS8, generateKeyPair } from "jose";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { PushEvent } from "../../../schema/ledger.ts";
import type { PushRequest, PushTarget } from "../../../schema/push.ts";
import type { CallView } from "../../../workers/call/state.ts";
import { consume, type PushEnv } from "../../../workers/push/consumer.ts";
import { BOB, CALL, endedView, PHONE, ringingView, TABLET, target } from "./views.ts";

/** What the consumer does with its queue and its objects; no provider has credentials here. */

interface Told {
  readonly events: PushEvent[];
  readonly unreached: (readonly string[])[];
  readonly died: string[];
  readonly again: { body: PushRequest; delaySeconds: number | undefined }[];
}

let told: Told;
beforeEach(() => {
  told = { events: [], unreached: [], died: [], again: [] };
});

interface World {
  readonly view?: CallView | null;
  readonly targets?: PushTarget[];
  readonly look?: () => Promise<never>;
  readonly ledger?: () => Promise<never>;
}

function ringing(): CallView {
  return ringingView({ ringUntil: Date.now() + 20_000 });
}

function world({ view = ringing(), targets = [target("fcm")], look, ledger }: World = {}): PushEnv {
  return {
    CALL_TOKEN_SECRET: "call-tokens-of-the-tests-of-32-bytes",
    VAPID_SUBJECT: "",
    PUSH_TO_LOOPBACK: "off",
    FCM_TOKEN_URL: "https://token.invalid",
    FCM_API_URL: "https://fcm.invalid",
    APNS_KEY_ID: "",
    APNS_TEAM_ID: "",
    APNS_TOPIC: "",
    SFU_REGIONS: "local",
    FLEET: { getByName: () => ({ push: async () => null }) },
    USERS: {
      getByName: () => ({
        pushTargets: async () => targets,
        tokenDied: async (deviceId) => void told.died.push(deviceId),
      }),
    },
    CALLS: {
      getByName: () => ({
        look: look ?? (async () => view),
        unreached: async (_userId, deviceIds) => void told.unreached.push(deviceIds),
      }),
    },
    PUSHES: { send: async (body, options) => told.again.push({ body, delaySeconds: options?.delaySeconds }) },
    LEDGER: { sendBatch: ledger ?? (async (messages) => told.events.push(...messages.map(({ body }) => body))) },
  };
}

const REQUEST: PushRequest = { callId: CALL, userId: BOB, deviceIds: [PHONE], purpose: "ring", attempts: 0 };

function message(body: unknown) {
  return { body, ack: vi.fn(), retry: vi.fn() };
}

async function consumed(env: PushEnv, body: unknown = REQUEST) {
  const delivery = message(body);
  await consume({ messages: [delivery] }, env);
  return { acked: delivery.ack.mock.calls.length, retried: delivery.retry.mock.calls };
}

describe("a request for a push", () => {
  it("[PUSH-5] fails where the provider is not set up, and the call hears of it", async () => {
    const targets = [target("fcm"), target("webpush", TABLET), target("apns_voip")];
    expect(await consumed(world({ targets }))).toEqual({ acked: 1, retried: [] });
    const expected = { result: "failed", status: null, attempts: 1, purpose: "ring", callId: CALL, userId: BOB };
    expect(told.events).toEqual(
      targets.map(({ push }) => expect.objectContaining({ ...expected, provider: push.provider })),
    );
    expect(told.unreached).toEqual([[PHONE, TABLET, PHONE]]);
    expect([told.died, told.again]).toEqual([[], []]);
  });

  it("waits for an object that does not answer: nothing was sent yet", async () => {
    const look = async () => Promise.reject(new Error("the object does not answer"));
    expect(await consumed(world({ look }))).toEqual({ acked: 0, retried: [[{ delaySeconds: 1 }]] });
    expect(told.events).toEqual([]);
  });

  it("is not sent again because nobody could be told of it", async () => {
    const ledger = async () => Promise.reject(new Error("the queue is full"));
    expect(await consumed(world({ ledger }))).toEqual({ acked: 1, retried: [] });
    expect(told.unreached).toEqual([[PHONE]]);
  });

  it("is dropped when it is none", async () => {
    for (const body of [null, {}, { ...REQUEST, deviceIds: [] }, { ...REQUEST, attempts: -1 }]) {
      expect(await consumed(world(), body)).toEqual({ acked: 1, retried: [] });
    }
    expect(told).toEqual({ events: [], unreached: [], died: [], again: [] });
  });

  it("[SAFE-1] is only acknowledged when it is a decoy", async () => {
    const look = vi.fn(async () => Promise.reject(new Error("nobody is asked")));
    expect(await consumed(world({ look }), { ...REQUEST, isDecoy: true })).toEqual({ acked: 1, retried: [] });
    expect(look).not.toHaveBeenCalled();
    expect(told).toEqual({ events: [], unreached: [], died: [], again: [] });
  });

  it("says nothing where no device is left to be pushed", async () => {
    expect(await consumed(world({ targets: [] }))).toEqual({ acked: 1, retried: [] });
    expect(told).toEqual({ events: [], unreached: [], died: [], again: [] });
  });

  it("[PUSH-4] [PUSH-5] that comes too late is noted as such, whatever try it is", async () => {
    for (const view of [endedView("cancelled"), null]) await consumed(world({ view }), { ...REQUEST, attempts: 2 });
    expect(told.events).toMatchObject([
      { result: "expired", attempts: 3 },
      { result: "expired", attempts: 3 },
    ]);
    expect(told.unreached).toEqual([]);
  });

  it("[PUSH-5] is asked again for the device that was not taken, without the others", async () => {
    const APNS = { APNS_KEY: await newKey(), APNS_KEY_ID: "KEY", APNS_TEAM_ID: "TEAM", APNS_TOPIC: "org.example" };
    const iphone = { deviceId: TABLET, push: { provider: "apns_voip" as const, token: "a1b2" } };
    const FLEET = { getByName: () => ({ push: async () => ({ status: 503, reason: null, retryAfter: null }) }) };
    await consumed({ ...world({ targets: [target("fcm"), iphone] }), ...APNS, FLEET });
    const body = { ...REQUEST, deviceIds: [TABLET], attempts: 1 };
    expect(told.again).toEqual([{ body, delaySeconds: 1 }]);
    expect(told.events.map(({ result }) => result)).toEqual(["failed", "retried"]);
    expect(told.unreached).toEqual([[PHONE]]);
  });
});

async function newKey(): Promise<string> {
  return exportPKCS8((await generateKeyPair("ES256", { extractable: true })).privateKey);
}
