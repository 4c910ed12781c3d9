import { statSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import { SetupError } from "../setup/setup-error.ts";

/** What `npm start` takes from its environment. */
export interface Settings {
  /** PORT, 8787: where the page, the API and the sockets are, on 127.0.0.1. */
  readonly port: number;
  /** DATA_DIR, .data: everything that is kept between runs. */
  readonly dataDir: string;
  /** DATABASE_URL: a Postgres to use in place of the embedded one. */
  readonly databaseUrl: string | undefined;
}

const Port = z.coerce.number().int().min(1).max(65_535);

/**
 * @param root what a relative DATA_DIR is relative to
 * @throws SetupError `bad_setting`
 */
export function readSettings(env: NodeJS.ProcessEnv, root: string): Settings {
  const port = Port.safeParse(env.PORT || "8787");
  if (!port.success) {
    throw new SetupError(
      "bad_setting",
      `PORT is "${env.PORT}"`,
      "Set it to a number from 1 to 65535, or unset it: 8787.",
    );
  }
  const dataDir = resolve(root, env.DATA_DIR || ".data");
  if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new SetupError(
      "bad_setting",
      `DATA_DIR is ${dataDir}, which is no folder`,
      "Name a folder, or unset it: .data.",
    );
  }
  return {
    port: port.data,
    dataDir,
    databaseUrl: env.DATABASE_URL || undefined,
  };
}
