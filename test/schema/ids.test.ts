import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Uuid, uuidv7 } from "../../schema/ids.ts";

const SEED = 20_261_123;

/** The example of RFC 9562, appendix A.6. */
const RFC = { now: 0x017f22e279b0, random: [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f] };

const moment = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const bytes = fc.uint8Array({ minLength: 10, maxLength: 16 });

describe("ids that the server makes", () => {
  test("the example of RFC 9562 comes out as it is printed there", () => {
    expect(uuidv7(RFC.now, Uint8Array.from(RFC.random))).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  test("are of version 7 and variant 10, whatever the time and the random bytes", () => {
    fc.assert(
      fc.property(moment, bytes, (now, random) => {
        const id = uuidv7(now, random);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Uuid.parse(id)).toBe(id);
      }),
      { seed: SEED },
    );
  });

  test("the lower id is the earlier call", () => {
    fc.assert(
      fc.property(moment, moment, bytes, bytes, (a, b, randomA, randomB) => {
        fc.pre(a < b);
        expect(uuidv7(a, randomA) < uuidv7(b, randomB)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  test("hold the time to the millisecond", () => {
    fc.assert(
      fc.property(moment, bytes, (now, random) => {
        expect(Number.parseInt(uuidv7(now, random).replaceAll("-", "").slice(0, 12), 16)).toBe(now);
      }),
      { seed: SEED },
    );
  });

  test("differ where only the random bytes do", () => {
    const zeros = new Uint8Array(10);
    for (let byte = 0; byte < 10; byte++) {
      const other = zeros.with(byte, 1);
      expect(uuidv7(0, other), `byte ${byte}`).not.toBe(uuidv7(0, zeros));
    }
  });
});

describe("[WIRE-1] ids that clients send", () => {
  test.each([
    ["version 1", "c232ab00-9414-11ec-b3c8-9f6bdeced846"],
    ["version 3", "5df41881-3aed-3515-88a7-2f4a814cf09e"],
    ["version 4", "919108f7-52d1-4320-9bac-f847db4148a8"],
    ["version 5", "2ed6657d-e927-568b-95e1-2665a8aea6a2"],
    ["version 6", "1ec9414c-232a-6b00-b3c8-9f6bdeced846"],
    ["version 7", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"],
    ["version 8", "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0"],
    ["the nil UUID", "00000000-0000-0000-0000-000000000000"],
    ["the max UUID", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
  ])("%s is one", (_name, id) => {
    expect(Uuid.parse(id)).toBe(id);
  });

  test("any case is read as lower case, so that equal ids are equal strings", () => {
    expect(Uuid.parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  test.each([
    ["nothing", ""],
    ["a word", "call"],
    ["no hyphens", "017f22e279b07cc398c4dc0c0c07398f"],
    ["braces", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}"],
    ["a URN", "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f"],
    ["a digit short", "017f22e2-79b0-7cc3-98c4-dc0c0c07398"],
    ["a digit long", "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff"],
    ["another variant", "017f22e2-79b0-7cc3-18c4-dc0c0c07398f"],
    ["version 9", "017f22e2-79b0-9cc3-98c4-dc0c0c07398f"],
    ["a space before it", " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f"],
    ["a line break after it", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n"],
    ["full-width digits", "０17f22e2-79b0-7cc3-98c4-dc0c0c07398f"],
  ])("%s is none", (_name, id) => {
    expect(Uuid.safeParse(id).success).toBe(false);
  });
});
