import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { IceServersResponse } from "../../../schema/http.ts";
import { app } from "../../../workers/http/app.ts";
import { person } from "../../support/workerd-device.ts";

/** Nobody listens on these ports: where none answers, all are listed as if they did. */
const TURN_SERVERS = "eu@52.3,4.9=127.0.0.1:1, us@39,-77.5=127.0.0.1:2, ap@1.35,103.8=127.0.0.1:3";

async function stunFor(cf: Record<string, string>): Promise<string[] | undefined> {
  const { token } = await person("Ada");
  const headers = { authorization: `Bearer ${token}` };
  const context = createExecutionContext();
  const request = new Request("http://switchboard.test/api/ice-servers", { headers, cf });
  const answer = await app.fetch(request, { ...env, TURN_SERVERS }, context);
  await waitOnExecutionContext(context);
  return IceServersResponse.parse(await answer.json()).iceServers[0]?.urls;
}

test.each([
  ["London", "51.5", "-0.1", [1, 2]],
  ["Boston", "42.4", "-71", [2, 1]],
  ["Sydney", "-33.9", "151.2", [3, 2]],
])(
  "[ICES-1] the TURN server near %s comes first, and one of the next region after it",
  async (_city, latitude, longitude, ports) => {
    const cf = { latitude, longitude };
    expect(await stunFor(cf)).toEqual(ports.map((port) => `stun:127.0.0.1:${port}`));
  },
);
