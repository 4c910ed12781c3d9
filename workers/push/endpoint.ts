const LOOPBACK: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];
/** Names that resolve within a network. */
const PRIVATE = /\.(?:localhost|local|internal|home\.arpa)$/;
/** A push service has a name with a top-level domain: no address, and nothing of one label. */
const PUBLIC = /\.[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Endpoints come from users, so a push must not become a request into a network of ours.
 * @param loopback whether this machine is one, for local runs and tests
 */
export function isAllowedEndpoint(url: URL, loopback: boolean): boolean {
  if (url.username !== "" || url.password !== "") return false;
  if (LOOPBACK.includes(url.hostname)) return loopback && (url.protocol === "http:" || url.protocol === "https:");
  return url.protocol === "https:" && PUBLIC.test(url.hostname) && !PRIVATE.test(url.hostname);
}
