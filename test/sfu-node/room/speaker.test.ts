import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gone, NOBODY_SPEAKS, type Speakers, sample } from "../../../sfu-node/room/speaker.ts";

const SEED = 20_261_124;
const RUNS = 500;
const PEOPLE = ["ada", "bob", "eve", "mia"];

/** What everybody said in turn, one sample each. */
function having(...samples: readonly Readonly<Record<string, number>>[]): Speakers {
  return samples.reduce((speakers, levels) => sample(speakers, new Map(Object.entries(levels))), NOBODY_SPEAKS);
}

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

describe("the dominant speaker", () => {
  it("is nobody before anybody has spoken", () => {
    expect(having({}, { ada: 0 }).dominant).toBeNull();
  });

  it("is decided by the mean of the last five samples: one loud click of 0.04 is a fifth of that, and silence", () => {
    expect(having({ ada: 0.04 }).dominant).toBeNull();
    expect(having({ ada: 0.04 }, { ada: 0.04 }).dominant).toBe("ada");
  });

  it("has spoken at 0.01, and not below", () => {
    expect(having(...times(5, { ada: 0.0099 })).dominant).toBeNull();
    expect(having(...times(5, { ada: 0.0101 })).dominant).toBe("ada");
  });

  it("counts who was not heard in a sample as silent", () => {
    const speakers = having(...times(5, { ada: 0.5 }), ...times(4, { bob: 0.2 }));
    expect(speakers.dominant).toBe("bob");
    expect(speakers.levels.get("ada")).toEqual([0.5, 0, 0, 0, 0]);
  });

  it("stays who it was in the silence, and where another is only as loud", () => {
    expect(having(...times(5, { ada: 0.5 }), ...times(20, {})).dominant).toBe("ada");
    expect(having(...times(5, { ada: 0.5 }), ...times(20, { ada: 0.5, bob: 0.5 })).dominant).toBe("ada");
  });

  it("is nobody once it has gone, until somebody speaks", () => {
    const left = gone(having(...times(5, { ada: 0.5, bob: 0.005 })), "ada");
    expect(left).toEqual({ levels: new Map([["bob", times(5, 0.005)]]), dominant: null });
    expect(gone(left, "nobody")).toEqual(left);
  });

  it("forgets who has been silent for five samples", () => {
    expect(having({ ada: 0.5, bob: 0.1 }, ...times(5, {})).levels.size).toBe(0);
  });
});

const said = fc.dictionary(fc.constantFrom(...PEOPLE), fc.double({ min: 0, max: 1, noNaN: true }));

describe("the dominant speaker in any conversation", () => {
  it("is the loudest of the last five samples, or stays, and becomes nobody who is silent", () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 60 }), (conversation) => {
        let speakers = NOBODY_SPEAKS;
        for (const [at, levels] of conversation.entries()) {
          const before = speakers.dominant;
          speakers = sample(speakers, new Map(Object.entries(levels)));
          const heard = conversation.slice(Math.max(0, at - 4), at + 1);
          const loudness = meanOf(heard, speakers.dominant);
          const most = Math.max(...PEOPLE.map((one) => meanOf(heard, one)));
          expect(loudness).toBeGreaterThanOrEqual(most < 0.01 ? 0 : most - 1e-12);
          if (speakers.dominant !== before) expect(loudness).toBeGreaterThanOrEqual(0.01);
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  function meanOf(heard: readonly Readonly<Record<string, number>>[], one: string | null): number {
    return heard.reduce((sum, levels) => sum + (levels[one ?? ""] ?? 0), 0) / 5;
  }
});
