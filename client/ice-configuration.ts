import type { IceServersResponse } from "../schema/http.ts";
import type { Api } from "./api.ts";
import { SwitchboardError } from "./errors.ts";

/** A restart of ICE does not wait longer for fresh relays: those that it has may still be good. */
const PATIENCE_MS = 1_500;

export async function iceConfiguration(api: Api): Promise<RTCConfiguration> {
  const { iceServers, iceTransportPolicy } = await api.iceServers();
  return { iceServers: iceServers.map(iceServer), iceTransportPolicy };
}

/** @throws SwitchboardError where there is none in time */
export function iceConfigurationInTime(api: Api): Promise<RTCConfiguration> {
  const { promise, resolve, reject } = Promise.withResolvers<RTCConfiguration>();
  const timer = setTimeout(() => reject(new SwitchboardError("timeout", "no relays in time")), PATIENCE_MS);
  iceConfiguration(api).then(resolve, reject);
  return promise.finally(() => clearTimeout(timer));
}

function iceServer({ urls, username, credential }: IceServersResponse["iceServers"][number]): RTCIceServer {
  return { urls, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) };
}
