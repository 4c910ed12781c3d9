import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { readSettings } from "../../../tools/start/settings.ts";

it("has a default for each, also when the variable is empty", () => {
  const defaults = { port: 8787, dataDir: "/project/.data", databaseUrl: undefined };
  expect(readSettings({}, "/project")).toEqual(defaults);
  expect(readSettings({ PORT: "", DATA_DIR: "", DATABASE_URL: "" }, "/project")).toEqual(defaults);
});

it("takes PORT, DATA_DIR and DATABASE_URL", () => {
  const env = { PORT: "9000", DATA_DIR: "elsewhere", DATABASE_URL: "postgres://localhost/calls" };
  expect(readSettings(env, "/project")).toEqual({
    port: 9000,
    dataDir: "/project/elsewhere",
    databaseUrl: "postgres://localhost/calls",
  });
});

it.each(["0", "65536", "-1", "80.5", "http"])("refuses PORT=%s", (port) => {
  expect(() => readSettings({ PORT: port }, "/project")).toThrow(expect.objectContaining({ reason: "bad_setting" }));
});

it("refuses a DATA_DIR that is no folder", () => {
  const env = { DATA_DIR: fileURLToPath(import.meta.url) };
  expect(() => readSettings(env, "/project")).toThrow(expect.objectContaining({ reason: "bad_setting" }));
});
