import { once } from "node:events";
import * as z from "zod";
import type { Part } from "../../tools/setup/part.ts";

/** What Postgres' process is told, and what it answers. */
export const PostgresFolder = z.object({ dataDir: z.string(), isServer: z.boolean() });
export const PostgresReady = z.object({ neonLocal: z.string(), databaseUrl: z.string() });
export type PostgresReady = z.infer<typeof PostgresReady>;

/** Sends a part one message and waits for its answer. @throws when the part ends instead */
export async function ask<T>(part: Part, message: object, answer: z.ZodType<T>): Promise<T> {
  const answered = once(part.child, "message").then(([heard]) => answer.parse(heard));
  part.child.send(message);
  return Promise.race([
    answered,
    part.exited.then((how): never => {
      throw new Error(`a process of the bench ended by itself (${how})`);
    }),
  ]);
}
