import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { Pushes } from "../../../workers/user/pushes.ts";
import { type Person, person, WorkerdDevice } from "../../support/workerd-device.ts";

const Inside = z.object({ storage: z.object({ kv: z.custom<SyncKvStorage>() }) });

afterEach(() => vi.restoreAllMocks());

/** What the user's object writes and queues from now on before it answers, in order. */
async function effectsOf({ userId }: Person): Promise<string[]> {
  const effects: string[] = [];
  await runInDurableObject(env.USERS.getByName(userId), (object) => {
    const { kv } = Inside.parse(Reflect.get(object, "ctx")).storage;
    const put = kv.put.bind(kv);
    kv.put = (key, value) => {
      effects.push(`put ${key}`);
      put(key, value);
    };
  });
  const { ring } = Pushes.prototype;
  vi.spyOn(Pushes.prototype, "ring").mockImplementation(async function (this: Pushes, ...asked) {
    const [, deviceIds, connected, isDecoy = false] = asked;
    decoys.push(isDecoy);
    effects.push(`push ${deviceIds.length} devices, ${connected.length} of them later`);
    await ring.apply(this, asked);
  });
  return effects;
}

const decoys: boolean[] = [];

async function calls(caller: Person, { userId }: Person): Promise<string> {
  const device = new WorkerdDevice(caller);
  await device.connect();
  device.send({ type: "call_initiate", idempotencyKey: "k", calleeIds: [userId], callType: "audio" });
  return (await device.next("call_initiated")).callId;
}

/** Bob has a device with a socket and one without, each with a push token or without. */
async function bobWith(pushes: readonly [online: boolean, offline: boolean]): Promise<[Person, WorkerdDevice]> {
  const bob = await person("Bob");
  const [phone, tablet] = [new WorkerdDevice(bob), new WorkerdDevice(bob)];
  for (const [index, device] of [phone, tablet].entries()) {
    await device.connect();
    const token = { provider: "fcm" as const, token: device.deviceId };
    if (pushes[index]) await env.USERS.getByName(bob.userId).setPushToken(device.deviceId, token);
  }
  await tablet.disconnect();
  return [bob, phone];
}

describe.each<[string, readonly [online: boolean, offline: boolean]]>([
  ["no push token", [false, false]],
  ["a push token for the device that is away", [false, true]],
  ["a push token for each", [true, true]],
])("[SAFE-1] [SAFE-2] who is turned away by somebody with %s", (_with, pushes) => {
  test.each(["block", "ring_from"] as const)(
    "waits for the same as anybody, and nobody hears of it: %s",
    async (how) => {
      const [bob, phone] = await bobWith(pushes);
      const user = env.USERS.getByName(bob.userId);
      const [eve, ada] = [await person("Eve"), await person("Ada")];
      const effects = await effectsOf(bob);
      await calls(eve, bob);
      await phone.next("incoming_call");
      const asked = [...effects];

      if (how === "block") await user.changeSettings({ type: "block", userId: ada.userId });
      else await user.changeSettings({ type: "ring_from", ringFrom: "contacts" });
      effects.length = 0;
      await calls(ada, bob);
      expect(effects).toEqual(asked);
      expect(decoys.splice(0)).toEqual(pushes.includes(true) ? [false, true] : []);
      await phone.settle();
      expect(phone.story().filter((type) => type === "incoming_call")).toHaveLength(1);
    },
  );
});
