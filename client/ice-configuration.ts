import type { IceServersResponse } from "../schema/http.ts";
import type { Api } from "./api.ts";
import { SwitchboardError } from "./errors.ts";

type Asked = Pick<Api, "iceServers">;

/** A restart of ICE does not wait longer for fresh relays: those that it has may still be good. */
const PATIENCE_MS = 1_500;

export async function iceConfiguration(api: Asked): Promise<RTCConfiguration> {
  const { iceServers, iceTransportPolicy } = await api.iceServers();
  return { iceServers: iceServers.map(iceServer), iceTransportPolicy };
}

/**
 * Asked for at once, and again when the server is reachable: what was asked on a network that is gone may never come.
 * @throws where there is none in time
 */
export async function freshIceConfiguration(api: Asked, reachable: Promise<void>): Promise<RTCConfiguration> {
  let fresh: RTCConfiguration | null = null;
  const early = inTime(api).then((configuration) => {
    fresh = configuration;
    return configuration;
  });
  // That there is none is for the second to tell.
  early.catch(() => {});
  await reachable;
  return fresh ?? Promise.any([early, inTime(api)]);
}

/** @throws SwitchboardError where there is none in time */
function inTime(api: Asked): Promise<RTCConfiguration> {
  const { promise, resolve, reject } = Promise.withResolvers<RTCConfiguration>();
  const timer = setTimeout(() => reject(new SwitchboardError("timeout", "no relays in time")), PATIENCE_MS);
  iceConfiguration(api).then(resolve, reject);
  return promise.finally(() => clearTimeout(timer));
}

function iceServer({ urls, username, credential }: IceServersResponse["iceServers"][number]): RTCIceServer {
  return { urls, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) };
}
