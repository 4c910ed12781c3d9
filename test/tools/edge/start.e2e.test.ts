import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { HealthResponse } from "../../../schema/http.ts";
import { type Edge, startEdge } from "../../../tools/edge/start.ts";
import { temporaryFolder } from "../../support/data-folder.ts";
import { freePort } from "../../support/free-port.ts";
import { alive, family } from "../../support/processes.ts";

const SECRET = "a-secret-of-the-tests-of-32-bytes";

let dataDir = "";
let edge: Edge | undefined;
beforeEach(() => {
  dataDir = temporaryFolder();
});
afterEach(async () => {
  await edge?.kill();
  rmSync(dataDir, { recursive: true });
});

async function start(port: number): Promise<Edge> {
  const vars = {
    DATABASE_URL: `postgres://nobody:none@127.0.0.1:${await freePort()}/none`,
    JWT_SECRET: SECRET,
    TURN_SECRET: SECRET,
    SFU_NODE_KEY: SECRET,
    CALL_TOKEN_SECRET: SECRET,
    SERVER_KEY: SECRET,
    DEVELOPMENT: "on",
  };
  edge = await startEdge({ port, dataDir, vars });
  return edge;
}

async function health({ url }: Edge): Promise<HealthResponse> {
  return HealthResponse.parse(await (await fetch(`${url}/health`)).json());
}

it("runs the Worker of wrangler.toml, and again on the same port and data after a kill -9", async () => {
  const port = await freePort();
  const first = await start(port);
  expect(first.url).toBe(`http://127.0.0.1:${port}`);
  expect((await health(first)).services.websocket.status).toBe("ok");
  // A var given to it goes before that of the file, where DEVELOPMENT is "off".
  const body = JSON.stringify({ name: "Alice" });
  const headers = { "content-type": "application/json" };
  expect((await fetch(`${first.url}/api/dev/token`, { method: "POST", headers, body })).status).toBe(200);

  const processes = family(first.pid);
  expect(processes.map(({ command }) => command).join()).toContain("workerd serve");
  await first.kill();
  expect(await first.exited).toBe("SIGKILL");
  await expect.poll(() => alive(processes)).toEqual([]);

  const second = await start(port);
  expect((await health(second)).services.websocket.status).toBe("ok");
  const again = family(second.pid);
  await second.close();
  expect(alive(again)).toEqual([]);
});

it("lets only one edge have the data", async () => {
  const { url } = await start(0);
  await expect(start(0)).rejects.toMatchObject({ reason: "data_in_use" });
  expect((await fetch(`${url}/health`)).headers.get("content-type")).toContain("json");
});

it("says why a Worker does not start", async () => {
  const mainModule = join(dataDir, "nothing.js");
  await expect(startEdge({ dataDir, vars: {}, mainModule })).rejects.toMatchObject({ reason: "edge_start_failed" });
});
