import type { Nat } from "./nat.ts";
import type { Way } from "./path.ts";

/** Between whom a call is: two at one place, or each behind a router of their own. */
export interface Networks {
  readonly between: "one network" | readonly [ada: Nat, bob: Nat];
  /** The best way that there is between them. */
  readonly way: Way;
}

/** The table of docs/networks.md. */
export const MATRIX: readonly Networks[] = [
  { between: "one network", way: "host" },
  { between: ["full cone", "full cone"], way: "srflx" },
  { between: ["full cone", "port restricted"], way: "srflx" },
  { between: ["port restricted", "port restricted"], way: "srflx" },
  { between: ["symmetric", "full cone"], way: "srflx" },
  { between: ["symmetric", "port restricted"], way: "relay udp" },
  { between: ["symmetric", "symmetric"], way: "relay udp" },
  { between: ["UDP blocked", "full cone"], way: "relay tcp" },
  { between: ["UDP blocked", "UDP blocked"], way: "relay tcp" },
  { between: ["only TCP 443", "symmetric"], way: "relay tls" },
  { between: ["only TCP 443", "UDP blocked"], way: "relay tls" },
  { between: ["only TCP 443", "only TCP 443"], way: "relay tls" },
];

export function nameOf({ between }: Networks): string {
  return typeof between === "string" ? between : between.join(" and ");
}
