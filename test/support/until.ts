import { setTimeout as delay } from "node:timers/promises";

/** Asks until it is so; benches, which run outside of a test, have no `expect.poll`. @throws when it has not come in time */
export async function until(isSo: () => Promise<boolean>, what: string, timeoutMs = 20_000): Promise<void> {
  for (const by = Date.now() + timeoutMs; Date.now() < by; await delay(50)) {
    if (await isSo()) return;
  }
  throw new Error(`${what} did not come in ${timeoutMs} ms`);
}
