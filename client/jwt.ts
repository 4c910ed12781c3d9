import { parseJson } from "../schema/json.ts";

/** A JWT's payload (RFC 7519), read and not checked: that is the server's business. Undefined for what is none. */
export function claimsOf(token: string): unknown {
  const payload = token.split(".")[1] ?? "";
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
