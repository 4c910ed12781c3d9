import type { PushPayload } from "../../schema/push.ts";

/** One push, for whoever takes it to the device. */
export interface Outgoing {
  readonly callId: string;
  readonly token: string;
  readonly payload: PushPayload;
  /** Unix ms: later it is not to be delivered any more. */
  readonly until: number;
}

export type Sent =
  | { readonly kind: "accepted"; readonly status: number }
  /** The provider does not know the token any more, or it could never be one: then nobody was asked. */
  | { readonly kind: "dead"; readonly status: number | null }
  /** Not now: too many requests, an outage, no answer. */
  | { readonly kind: "busy"; readonly status: number | null; readonly retryAfter: string | null }
  /** Nobody is there to take it to the provider; somebody may be soon. */
  | { readonly kind: "no_relay" }
  /** Refused for good. */
  | { readonly kind: "failed"; readonly status: number | null }
  /** This deployment has no credentials for the provider. */
  | { readonly kind: "unconfigured" };

export interface Answer {
  /** Null if none came. */
  readonly status: number | null;
  readonly retryAfter: string | null;
}

/** What an answer means where the provider has nothing special to say. */
export function sentBy({ status, retryAfter }: Answer): Sent {
  if (status === null || status === 429 || status >= 500) return { kind: "busy", status, retryAfter };
  return status >= 200 && status < 300 ? { kind: "accepted", status } : { kind: "failed", status };
}

/** Seconds that the push is still of use. */
export function ttlSeconds({ until }: Outgoing, now: number): number {
  return Math.max(0, Math.floor((until - now) / 1000));
}
