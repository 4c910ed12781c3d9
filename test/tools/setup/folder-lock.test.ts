import { rmSync } from "node:fs";
import { expect, it } from "vitest";
import { lockFolder } from "../../../tools/setup/folder-lock.ts";
import { temporaryFolder } from "../../support/data-folder.ts";
import { Run } from "../../support/processes.ts";
import { ROOT } from "../../support/project.ts";

it("lets one in at a time", () => {
  const folder = temporaryFolder();
  const release = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(/another process has the data in .* open/);
  release();
  lockFolder(folder)();
  rmSync(folder, { recursive: true });
});

it("ends with the process that had it, also by kill -9", async () => {
  const folder = temporaryFolder();
  const script = `
    import { lockFolder } from "./tools/setup/folder-lock.ts";
    lockFolder(${JSON.stringify(folder)});
    console.log("locked");
    setInterval(() => {}, 1e6);`;
  const run = new Run(process.execPath, ["--input-type=module-typescript", "-e", script], { cwd: ROOT });
  await run.wrote("locked");
  expect(() => lockFolder(folder)).toThrow();
  run.child.kill("SIGKILL");
  await run.ended();
  lockFolder(folder)();
  rmSync(folder, { recursive: true });
});
