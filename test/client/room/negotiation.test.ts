import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  JOINING,
  type Negotiation,
  type NegotiationEvent,
  negotiate,
  type SfuDescription,
  type SfuOffer,
} from "../../../client/room/negotiation.ts";

const answer: SfuDescription = { sdp: "the answer", tracks: [] };
const offer = (negotiationId: number): SfuOffer => ({ negotiationId, sdp: `offer ${negotiationId}`, tracks: [] });

const needed: NegotiationEvent = { type: "needed" };
const answered: NegotiationEvent = { type: "answered", answer };
const applied: NegotiationEvent = { type: "applied" };
const offered = (negotiationId: number): NegotiationEvent => ({ type: "offered", offer: offer(negotiationId) });

/** What is done, one after the other. */
function play(events: readonly NegotiationEvent[], from: Negotiation = JOINING): string[] {
  const acts: string[] = [];
  let negotiation = from;
  for (const event of events) {
    const { next, act } = negotiate(negotiation, event);
    negotiation = next;
    if (act?.type === "answer") acts.push(`answer ${act.offer.negotiationId}`);
    else if (act) acts.push(act.type);
  }
  return [...acts, negotiation.kind];
}

describe("a connection that joins", () => {
  test.each<[string, NegotiationEvent[], string[]]>([
    ["is stable with the answer in place", [answered, applied], ["take", "stable"]],
    ["ignores what the SFU offered before it answered", [offered(1), answered, applied], ["take", "stable"]],
    [
      "answers what the SFU offers while the answer is being applied, when it is",
      [answered, offered(1), applied, applied],
      ["take", "answer 1", "stable"],
    ],
    [
      "answers the latest of two such offers",
      [answered, offered(1), offered(2), applied],
      ["take", "answer 2", "applying"],
    ],
    [
      "offers what was added meanwhile, after what the SFU waits for",
      [needed, answered, offered(1), applied, applied],
      ["take", "answer 1", "offer", "offering"],
    ],
    ["takes an answer once", [answered, answered, applied, answered], ["take", "stable"]],
  ])("%s", (_title, events, expected) => {
    expect(play(events)).toEqual(expected);
  });
});

describe("a stable connection", () => {
  test.each<[string, NegotiationEvent[], string[]]>([
    ["answers an offer", [offered(1), applied], ["answer 1", "stable"]],
    ["offers", [needed, answered, applied], ["offer", "take", "stable"]],
    [
      "offers once for what changes before the SFU's offer is answered",
      [offered(1), needed, needed, applied],
      ["answer 1", "offer", "offering"],
    ],
    [
      "is the impolite side: its own offer counts, not the SFU's",
      [needed, offered(1), answered, applied],
      ["offer", "take", "stable"],
    ],
    ["has nothing to apply", [applied], ["stable"]],
  ])("%s", (_title, events, expected) => {
    expect(play(events, { kind: "stable" })).toEqual(expected);
  });
});

test("whatever happens, an offer that is not crossed by this device's own is answered, unless a later one is", () => {
  const event = fc.oneof(
    fc.constant(needed),
    fc.constant(answered),
    fc.constant(applied),
    fc.integer({ min: 1, max: 1_000 }).map(offered),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let negotiation: Negotiation = JOINING;
      let owed: number | null = null;
      let isOffering = true;
      for (const next of [...events, answered, applied, applied, answered, applied]) {
        const step = negotiate(negotiation, next);
        if (next.type === "offered" && negotiation.kind !== "offering") owed = next.offer.negotiationId;
        if (step.act?.type === "answer" && step.act.offer.negotiationId === owed) owed = null;
        // Never two offers of its own at once.
        if (step.act?.type === "offer") expect(isOffering).toBe(false);
        isOffering = step.next.kind === "offering";
        negotiation = step.next;
      }
      expect(owed).toBeNull();
      expect(negotiation.kind).toBe("stable");
    }),
  );
});
