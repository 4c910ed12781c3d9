import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";

const COMMON = fileURLToPath(new URL("../../turn/turnserver.conf", import.meta.url));

export interface TurnConfig {
  /** For the config, which holds the secrets, and for what coturn keeps. */
  readonly folder: string;
  /** Where it listens and relays. */
  readonly address: string;
  readonly port: number;
  readonly tlsPort: number;
  /** Credentials signed with any of them are good. */
  readonly secrets: readonly string[];
  /** Further lines. */
  readonly more?: readonly string[];
}

/** Its own authority, for `cert.pem` and `key.pem` of the folder. */
export async function writeCertificate(folder: string, address: string): Promise<void> {
  const extensions = [{ name: "subjectAltName" as const, altNames: [{ type: 7 as const, ip: address }] }];
  const made = await generate([{ name: "commonName", value: address }], { keyType: "ec", extensions });
  writeFileSync(join(folder, "cert.pem"), made.cert);
  writeFileSync(join(folder, "key.pem"), made.private, { mode: 0o600 });
}

/** Writes the common config and a server's own lines after it, and a certificate. @returns the path of the config */
export async function writeTurnConfig(config: TurnConfig): Promise<string> {
  const { folder, address, port, tlsPort, secrets, more = [] } = config;
  const inFolder = (name: string) => join(folder, name);
  await writeCertificate(folder, address);
  const own = [
    ...secrets.map((secret) => `static-auth-secret=${secret}`),
    `listening-ip=${address}`,
    `relay-ip=${address}`,
    `listening-port=${port}`,
    `tls-listening-port=${tlsPort}`,
    `cert=${inFolder("cert.pem")}`,
    `pkey=${inFolder("key.pem")}`,
    `userdb=${inFolder("turndb")}`,
    `pidfile=${inFolder("turn.pid")}`,
    ...more,
  ];
  const path = inFolder("turnserver.conf");
  writeFileSync(path, `${readFileSync(COMMON, "utf8")}\n${own.join("\n")}\n`, { mode: 0o600 });
  return path;
}
