/** How long a test waits for what must come, in ms: what a busy machine may need, since no test measures time. */
export const PATIENCE_MS = 30_000;

/** The same for `vi.waitUntil`; `expect.poll` has it from vitest.config.ts. */
export const PATIENCE = { timeout: PATIENCE_MS, interval: 20 };
