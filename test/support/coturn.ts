import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { writeCertificate } from "../../tools/turn/config.ts";
import { startTurnServer, type TurnServer } from "../../tools/turn/start.ts";
import { temporaryFolder } from "./data-folder.ts";
import { type Allocated, type Credential, type Transport, TurnClient } from "./turn-client.ts";

const run = promisify(execFile);

/** A real coturn with the config that is published, on ports of its own. */
export interface Coturn extends TurnServer {
  /** As `TURN_SERVERS` names it. */
  readonly address: string;
  /** Tells a coturn that runs of one more secret. */
  addSecret(secret: string): Promise<void>;
  removeSecret(secret: string): Promise<void>;
  /** Has it read a new certificate. */
  renewCertificate(): Promise<void>;
  /** Ends it, and leaves nothing. */
  close(): Promise<void>;
}

export async function startCoturn(secrets: readonly string[], more: readonly string[] = []): Promise<Coturn> {
  const folder = temporaryFolder();
  const administer = async (...args: string[]) => {
    await run("turnadmin", [...args, "--realm=switchboard", `--userdb=${join(folder, "turndb")}`]);
  };
  // Makes the database: a coturn that opens one while it is made never reads it.
  await administer("--show-secret");
  const server = await startTurnServer({ folder, secrets, more });
  return {
    ...server,
    address: `127.0.0.1:${server.port}/${server.tlsPort}`,
    addSecret: (secret) => administer(`--set-secret=${secret}`),
    removeSecret: (secret) => administer(`--delete-secret=${secret}`),
    renewCertificate: async () => {
      await writeCertificate(folder, "127.0.0.1");
      process.kill(Number(readFileSync(join(folder, "turn.pid"), "utf8")), "SIGUSR2");
    },
    close: async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** As the edge makes one. @param expiry Unix seconds */
export function credentialFor(userId: string, secret: string, expiry: number): Credential {
  const username = `${expiry}:${userId}`;
  return { username, credential: createHmac("sha1", secret).update(username).digest("base64") };
}

/** One allocation, given back at once. */
export async function allocate(
  server: Pick<TurnServer, "port" | "tlsPort">,
  transport: Transport,
  credential: Credential,
  as: { readonly realm?: string } = {},
): Promise<Allocated> {
  const client = await TurnClient.open(server, transport);
  try {
    return await client.allocate(credential, as);
  } finally {
    client.close();
  }
}
