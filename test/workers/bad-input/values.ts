import fc from "fast-check";

/** Fixed, so that a failure is found again. */
export const SEED = 20_261_123;

/** Stands in everything that is sent wrongly, so that an answer that repeats any of it is caught. */
export const CANARY = "quetzal71";

/** Keys and words with a meaning of their own to JavaScript. */
export const LOADED = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "length"];

const uuid = fc.uuid();

/** Text that is long, odd, or dangerous somewhere; never what a field wants. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }).map((some) => `${CANARY}${some}`),
  fc.string({ unit: "grapheme", maxLength: 40 }).map((some) => `${some}${CANARY}`),
  fc.constantFrom(
    `${CANARY}'; drop table users; --`,
    `<script>${CANARY}</script>`,
    `\${${CANARY}}{{7*7}}%s%n`,
    `../../../${CANARY}`,
    `${CANARY}\u202e\u0000\ufeff`,
    `\u{1f468}\u200d\u{1f469}\u200d\u{1f467}${CANARY}`,
    CANARY.repeat(500),
  ),
);

/** JSON of any other kind than text. */
export const notText: fc.Arbitrary<unknown> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 3 }),
  fc.dictionary(fc.oneof(text, fc.constantFrom(...LOADED)), text, { maxKeys: 3, noNullPrototype: true }),
);

export const anything: fc.Arbitrary<unknown> = fc.oneof(text, notText);

/** What looks like an id at first, or does not. */
export const notUuid: fc.Arbitrary<unknown> = fc.oneof(
  anything,
  uuid.map((id) => id.replaceAll("-", "")),
  uuid.map((id) => `${id}${CANARY}`),
  uuid.map((id) => ` ${id}`),
  uuid.map((id) => [id]),
  uuid.map((id) => id.replace(/^./, "g")),
);

export const notName: fc.Arbitrary<unknown> = fc.oneof(
  notText,
  fc.constantFrom("", `${CANARY}\0`, `\ud800${CANARY}`, `${CANARY}\udc00`, CANARY.repeat(12)),
);

/** The same cases in each run. */
export function sample<T>(arbitrary: fc.Arbitrary<T>, numRuns: number): T[] {
  return fc.sample(arbitrary, { seed: SEED, numRuns });
}
