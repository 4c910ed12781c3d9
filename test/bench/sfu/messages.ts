import * as z from "zod";

/** What is measured: mediasoup by itself, with our way to hear who speaks, and a room as a node serves it. */
export const Subject = z.enum(["bare", "levels", "ours"]);
export type Subject = z.infer<typeof Subject>;

/** What the bench tells the process that is measured; what a call says to a node comes as text besides. */
export const Order = z.discriminatedUnion("type", [
  z.object({ type: z.literal("open"), subject: Subject, listenIp: z.string(), workerBin: z.string() }),
  z.object({ type: z.literal("usage") }),
  z.object({ type: z.literal("memory") }),
]);
export type Order = z.infer<typeof Order>;

/** CPU time in microseconds since it began: of mediasoup's worker, and of the node around it. */
export const Usage = z.object({ type: z.literal("usage"), workerUs: z.number(), nodeUs: z.number() });
export type Usage = z.infer<typeof Usage>;

/** In KiB: of the worker what is resident, of the node what lives on its heap. */
export const Memory = z.object({
  type: z.literal("memory"),
  workerKiB: z.number(),
  nodeKiB: z.number(),
  consumers: z.int(),
});
export type Memory = z.infer<typeof Memory>;

export const Answer = z.discriminatedUnion("type", [z.object({ type: z.literal("ready") }), Usage, Memory]);
export type Answer = z.infer<typeof Answer>;
