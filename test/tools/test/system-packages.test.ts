import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ensureSystemPackages } from "../../../tools/test/system-packages.ts";
import { temporaryFolder } from "../../support/data-folder.ts";

let bin = "";
beforeEach(() => {
  bin = temporaryFolder();
});
afterEach(() => rmSync(bin, { recursive: true }));

function command(name: string): void {
  writeFileSync(join(bin, name), "#!/bin/sh\n");
  chmodSync(join(bin, name), 0o755);
}

it("names the line to run where nothing can be installed", async () => {
  command("initdb");
  command("chromium-headless-shell");
  command("firefox-esr");
  command("turnserver");
  command("ip");
  command("nft");
  await expect(ensureSystemPackages(() => {}, { PATH: bin })).rejects.toMatchObject({
    reason: "missing_package",
    message: "the tests need a browser",
    hint: "run as root: apt-get update && apt-get install -y --no-install-recommends chromium",
  });
});

it("is content with what is there", async () => {
  command("chromium");
  command("initdb");
  command("chromium-headless-shell");
  command("firefox-esr");
  command("turnserver");
  command("ip");
  command("nft");
  await ensureSystemPackages(() => expect.unreachable("nothing has to be installed"), { PATH: bin });
});
