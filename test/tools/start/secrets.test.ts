import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { installationSecrets } from "../../../tools/start/secrets.ts";
import { temporaryFolder } from "../../support/data-folder.ts";

let dataDir = "";
beforeEach(() => {
  dataDir = temporaryFolder();
});
afterEach(() => rmSync(dataDir, { recursive: true }));

it("are random, kept, and for nobody else to read", () => {
  const secrets = installationSecrets(join(dataDir, "one"));
  expect(new Set(Object.values(secrets)).size).toBe(6);
  for (const secret of Object.values(secrets)) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  expect(statSync(join(dataDir, "one/secrets.json")).mode & 0o777).toBe(0o600);
  expect(installationSecrets(join(dataDir, "one"))).toEqual(secrets);
  expect(installationSecrets(join(dataDir, "two"))).not.toEqual(secrets);
});

it("are completed where an earlier version had fewer, and those that it had stay", () => {
  const { CALL_TOKEN_SECRET: _, ...before } = installationSecrets(dataDir);
  writeFileSync(join(dataDir, "secrets.json"), JSON.stringify(before));
  const after = installationSecrets(dataDir);
  expect(after).toMatchObject(before);
  expect(installationSecrets(dataDir)).toEqual(after);
});

it.each(["", '{"JWT_SECRET":"short"}'])("are not replaced when the file is damaged: %j", (content) => {
  const file = join(dataDir, "secrets.json");
  writeFileSync(file, content);
  expect(() => installationSecrets(dataDir)).toThrow(expect.objectContaining({ reason: "bad_setting" }));
  expect(readFileSync(file, "utf8")).toBe(content);
});
