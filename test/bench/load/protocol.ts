import * as z from "zod";

/** What the load client is asked for, one order at a time, and what it answers. */

const Url = z.string();

/** A closed loop starts the next call when one is over, an open loop by the clock. */
export const Arrivals = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("closed"), concurrency: z.int().positive() }),
  z.object({ kind: z.literal("open"), callsPerSecond: z.number().positive() }),
]);
export type Arrivals = z.infer<typeof Arrivals>;

/** Whichever comes first. */
export const Extent = z.object({ seconds: z.number().nonnegative(), calls: z.int().positive() });
export type Extent = z.infer<typeof Extent>;

export const Load = z.object({
  type: z.literal("load"),
  arrivals: Arrivals,
  until: Extent,
  /** How long the two talk, in ms. */
  talkMs: z.int().nonnegative(),
});
export type Load = z.infer<typeof Load>;

export const Order = z.discriminatedUnion("type", [
  /** Signs up callers and callees, and connects their devices. */
  z.object({ type: z.literal("join"), url: Url, pairs: z.int().positive() }),
  /** Connects devices that do nothing, one for each user. */
  z.object({ type: z.literal("connect_idle"), url: Url, devices: z.int().positive() }),
  z.object({ type: z.literal("leave") }),
  Load,
]);
export type Order = z.infer<typeof Order>;

export const LoadResult = z.object({
  type: z.literal("loaded"),
  seconds: z.number(),
  completed: z.int(),
  races: z.int(),
  /** From the call (as scheduled, in an open loop) to the last of the callee's devices ringing, in ms. */
  ringMs: z.array(z.number()),
  /** From the answer to both sides having been told, in ms. */
  connectMs: z.array(z.number()),
  messagesIn: z.int(),
  messagesOut: z.int(),
  /** CPU that the load client itself used, in ms. */
  cpuMs: z.number(),
  /** One line for each call that went otherwise than it must. */
  faults: z.array(z.string()),
});
export type LoadResult = z.infer<typeof LoadResult>;

export const Answer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("done") }),
  LoadResult,
  z.object({ type: z.literal("failed"), message: z.string() }),
]);
export type Answer = z.infer<typeof Answer>;
