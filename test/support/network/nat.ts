/** How a home's router treats what goes through it; the names are those of RFC 3489, section 5. */
export const NATS = ["full cone", "port restricted", "symmetric", "UDP blocked", "only TCP 443"] as const;
export type Nat = (typeof NATS)[number];

/**
 * A router's rules for nftables, between `lan` and `wan`. Linux' own masquerading keeps the port where it can, whoever
 * is written to, and lets in only whom it was written to: that is port restricted.
 * @param host to whom a full cone gives what comes
 */
export function rules(nat: Nat, host: string): string {
  return `
    table ip nat {
      chain out { type nat hook postrouting priority srcnat; oifname wan ${nat === "symmetric" ? RANDOM : SAME_PORT}; }
      chain in { type nat hook prerouting priority dstnat; ${nat === "full cone" ? openTo(host) : ""} }
    }
    table ip filter {
      chain input { type filter hook input priority filter; policy drop; ${UNASKED_IS_DROPPED} }
      chain forward { type filter hook forward priority filter; policy drop; ${AT_HOME} ${forward(nat)} }
    }`;
}

const SAME_PORT = "masquerade";
/** For each destination another port. */
const RANDOM = "masquerade fully-random";

/**
 * Without it a check of the other side that comes too soon would be the router's own, and would take the port away from
 * the host that it is meant for.
 */
const UNASKED_IS_DROPPED = "iifname != wan accept;";

/** Some kernels show a router what its own switch passes on. */
const AT_HOME = "iifname lan oifname lan accept;";

const ANSWERS = "ct state established,related accept; ct status dnat accept;";

function openTo(host: string): string {
  return `iifname wan udp dport 1024-65535 dnat to ${host};`;
}

function forward(nat: Nat): string {
  switch (nat) {
    case "UDP blocked":
      return `meta l4proto udp drop; ${ANSWERS} iifname lan accept;`;
    case "only TCP 443":
      return `${ANSWERS} iifname lan tcp dport 443 accept;`;
    case "full cone":
    case "port restricted":
    case "symmetric":
      return `${ANSWERS} iifname lan accept;`;
  }
}
