import { afterEach, expect, test, vi } from "vitest";
import { MAX_UNREGISTERED, REGISTER_MS } from "../../../schema/limits.ts";
import { person, WorkerdDevice } from "../../support/workerd-device.ts";

afterEach(() => vi.restoreAllMocks());

/** From now on that is over as soon as it has begun. */
function hurry(ms: number): void {
  const wait = globalThis.setTimeout;
  const soon = (work: () => void, time?: number) => wait(work, time === ms ? 0 : time);
  vi.spyOn(globalThis, "setTimeout").mockImplementation(soon);
}

test("[CONN-2] a socket that does not say in time which device it is is closed; one that has stays", async () => {
  const bob = await person("Bob");
  const [silent, phone] = [new WorkerdDevice(bob), new WorkerdDevice(bob)];
  await phone.connect();
  hurry(REGISTER_MS);
  await silent.dial();
  expect(await silent.untilClosed()).toMatchObject({ code: 4003 });
  expect(await phone.ask({ type: "call_sync", callId: crypto.randomUUID() })).toMatchObject({ code: "call_not_found" });
});

test("[CONN-2] of too many sockets that have not registered the oldest are closed, and the newest may", async () => {
  const bob = await person("Bob");
  const sockets = Array.from({ length: MAX_UNREGISTERED + 1 }, () => new WorkerdDevice(bob));
  for (const socket of sockets) await socket.dial();
  const [oldest, next] = sockets;
  expect(await oldest?.untilClosed()).toMatchObject({ code: 4003 });
  expect(next?.closed).toBeNull();
  const newest = sockets.at(-1);
  newest?.send({ type: "register", deviceId: newest.deviceId, deviceType: "Web" });
  expect(await newest?.next("registered")).toMatchObject({ userId: bob.userId });
});
