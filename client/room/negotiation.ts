import type { ReceivedTrack } from "../../schema/room.ts";

/**
 * Whose offer counts on one connection to a room: perfect negotiation (W3C WebRTC, section 10.7), in which the SFU is
 * the polite side. Pure: what happens are arguments, and what is to be done is told.
 */

/** What the SFU says a connection is to be, and which of the others' tracks come in on it. */
export interface SfuDescription {
  readonly sdp: string;
  readonly tracks: readonly ReceivedTrack[];
}

export interface SfuOffer extends SfuDescription {
  readonly negotiationId: number;
}

export type Negotiation =
  | { readonly kind: "stable" }
  /** An offer of this device's is on its way: what the SFU has offered meanwhile, it takes back. */
  | { readonly kind: "offering"; readonly isDue: boolean }
  /** A description of the SFU's is being applied; `next` came meanwhile. */
  | { readonly kind: "applying"; readonly isDue: boolean; readonly next: SfuOffer | null };

export type NegotiationEvent =
  /** Tracks were added or removed. */
  | { readonly type: "needed" }
  /** The SFU offers. */
  | { readonly type: "offered"; readonly offer: SfuOffer }
  /** The SFU's answer to this device's offer is here. */
  | { readonly type: "answered"; readonly answer: SfuDescription }
  /** What the SFU has described is in place. */
  | { readonly type: "applied" };

export type Act =
  | { readonly type: "offer" }
  | { readonly type: "take"; readonly answer: SfuDescription }
  | { readonly type: "answer"; readonly offer: SfuOffer };

export interface Negotiated {
  readonly next: Negotiation;
  readonly act: Act | null;
}

/** As a connection begins: with this device's offer. */
export const JOINING: Negotiation = { kind: "offering", isDue: false };

const STABLE: Negotiation = { kind: "stable" };

export function negotiate(before: Negotiation, event: NegotiationEvent): Negotiated {
  switch (event.type) {
    case "needed":
      return needed(before);
    case "offered":
      return offered(before, event.offer);
    case "answered":
      return before.kind === "offering" ? take(before, event.answer) : nothing(before);
    case "applied":
      return before.kind === "applying" ? applied(before) : nothing(before);
  }
}

function needed(before: Negotiation): Negotiated {
  return before.kind === "stable" ? offer() : nothing({ ...before, isDue: true });
}

function offered(before: Negotiation, offer: SfuOffer): Negotiated {
  switch (before.kind) {
    case "stable":
      return answer(offer, false);
    case "offering":
      return nothing(before);
    case "applying":
      return nothing({ ...before, next: offer });
  }
}

/** First what the SFU waits for. */
function applied({ isDue, next }: Extract<Negotiation, { kind: "applying" }>): Negotiated {
  if (next) return answer(next, isDue);
  return isDue ? offer() : nothing(STABLE);
}

function offer(): Negotiated {
  return { next: { kind: "offering", isDue: false }, act: { type: "offer" } };
}

function take({ isDue }: Extract<Negotiation, { kind: "offering" }>, answer: SfuDescription): Negotiated {
  return { next: { kind: "applying", isDue, next: null }, act: { type: "take", answer } };
}

function answer(offer: SfuOffer, isDue: boolean): Negotiated {
  return { next: { kind: "applying", isDue, next: null }, act: { type: "answer", offer } };
}

function nothing(next: Negotiation): Negotiated {
  return { next, act: null };
}
