import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { PRESENCE_SWEEP_MS } from "../../../schema/limits.ts";
import { person, WorkerdDevice } from "../../support/workerd-device.ts";

/** In how many ms the user's object is woken; null if it is not. */
async function wakesIn({ userId }: { readonly userId: string }): Promise<number | null> {
  const at = await runInDurableObject(env.USERS.getByName(userId), (_object, state) => state.storage.getAlarm());
  return at === null ? null : at - Date.now();
}

/** Short of what is waited for, by what the test itself may take. */
const SLACK_MS = 5_000;

test("[LEDGER-2] a user of whom something has changed is not woken before the ledger has had its time", async () => {
  const retryMs = Number(env.LEDGER_RETRY_SECONDS) * 1_000;
  const bob = await person("Bob");
  expect(await wakesIn(bob)).toBeGreaterThan(retryMs - SLACK_MS);
  const phone = new WorkerdDevice(bob);
  await phone.connect();
  await phone.disconnect();
  expect(await wakesIn(bob)).toBeGreaterThan(retryMs - SLACK_MS);
});

test("[PRES-3] a user who is watched is not woken before somebody can have fallen silent", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [watcher, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
  for (const device of [watcher, phone]) await device.connect();
  watcher.send({ type: "presence_watch", userIds: [bob.userId] });
  await watcher.next("presence");
  const retryMs = Number(env.LEDGER_RETRY_SECONDS) * 1_000;
  expect(await wakesIn(bob)).toBeGreaterThan(Math.min(PRESENCE_SWEEP_MS, retryMs) - SLACK_MS);
});
