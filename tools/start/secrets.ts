import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { SetupError } from "../setup/setup-error.ts";

/** HS256 wants a key of at least 256 bits (RFC 7518, 3.2). */
const Secret = z.string().min(32);

const Secrets = z.object({
  JWT_SECRET: Secret,
  TURN_SECRET: Secret,
  SFU_NODE_KEY: Secret,
  SERVER_KEY: Secret,
  CALL_TOKEN_SECRET: Secret,
  /** Any 32 bytes are a P-256 key, but for one in 2^32. */
  VAPID_PRIVATE_KEY: Secret,
});

/** The secrets of wrangler.toml that are this installation's own. */
export type Secrets = z.infer<typeof Secrets>;

const Known = Secrets.partial();
type Known = z.infer<typeof Known>;

/**
 * Made at the first start and kept, so that tokens given out before a restart are good after it.
 * @throws SetupError `bad_setting` when the file is damaged
 */
export function installationSecrets(dataDir: string): Secrets {
  const file = join(dataDir, "secrets.json");
  const known: Known = existsSync(file) ? read(file) : {};
  const complete = Secrets.safeParse(known);
  return complete.success ? complete.data : create(dataDir, file, known);
}

/** An earlier version knew fewer of them. */
function read(file: string): Known {
  try {
    return Known.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new SetupError(
      "bad_setting",
      `the secrets in ${file} cannot be read`,
      "Delete the file: new ones are made, and the tokens given out so far are then no longer good.",
    );
  }
}

function create(dataDir: string, file: string, known: Known): Secrets {
  const secrets = {
    JWT_SECRET: known.JWT_SECRET ?? random(),
    TURN_SECRET: known.TURN_SECRET ?? random(),
    SFU_NODE_KEY: known.SFU_NODE_KEY ?? random(),
    SERVER_KEY: known.SERVER_KEY ?? random(),
    CALL_TOKEN_SECRET: known.CALL_TOKEN_SECRET ?? random(),
    VAPID_PRIVATE_KEY: known.VAPID_PRIVATE_KEY ?? random(),
  };
  // Calls, users and keys are in it: for nobody else on this machine to read.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Whole or not at all, also when the machine stops half-way.
  writeFileSync(`${file}.new`, JSON.stringify(secrets, undefined, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secrets;
}

function random(): string {
  return randomBytes(32).toString("base64url");
}
