import * as z from "zod";

/** What the edge's process is told once it runs, over the channel to its parent. */
export const EdgeConfig = z.object({
  configPath: z.string(),
  mainModule: z.string(),
  persistDir: z.string(),
  port: z.int().min(0).max(65_535),
  vars: z.record(z.string(), z.string()),
});
export type EdgeConfig = z.infer<typeof EdgeConfig>;

/** What it answers. */
export const EdgeAnswer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), url: z.string() }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);
export type EdgeAnswer = z.infer<typeof EdgeAnswer>;
