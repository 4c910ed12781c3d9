import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { audioLevel } from "../../../sfu-node/room/audio-level.ts";

const SEED = 20_261_125;
const ID = 10;
const ONE_BYTE = 0xbede;
const TWO_BYTE = 0x1000;

interface Parts {
  readonly profile?: number;
  readonly elements: readonly number[];
  readonly csrcs?: number;
  /** In 32-bit words; as many as there are, unless the packet is to lie. */
  readonly words?: number;
}

/** An RTP packet (RFC 3550, section 5.1) with a header extension and 20 bytes of sound that are all `ID << 4`. */
function packet({ profile = ONE_BYTE, elements, csrcs = 0, words }: Parts): Buffer {
  const padded = [...elements, ...new Array((4 - (elements.length % 4)) % 4).fill(0)];
  const header = Buffer.alloc(12 + 4 * csrcs + 4, ID << 4);
  header[0] = 0x90 | csrcs;
  header.writeUInt16BE(profile, 12 + 4 * csrcs);
  header.writeUInt16BE(words ?? padded.length / 4, 12 + 4 * csrcs + 2);
  return Buffer.concat([header, Buffer.from(padded), Buffer.alloc(20, ID << 4)]);
}

describe("the audio level of a packet", () => {
  it.each<[string, number, number]>([
    ["0 dBov is full scale", 0, 1],
    ["20 dB below is a tenth", 20, 0.1],
    ["40 dB below is a hundredth: the threshold of silence", 40, 0.01],
    ["127 is digital silence (RFC 6464, section 3)", 127, 0],
    ["the bit of voice activity is no part of it", 0x80 | 20, 0.1],
  ])("%s", (_title, byte, level) => {
    expect(audioLevel(packet({ elements: [ID << 4, byte] }), ID)).toBeCloseTo(level, 6);
    expect(audioLevel(packet({ profile: TWO_BYTE, elements: [ID, 1, byte] }), ID)).toBeCloseTo(level, 6);
  });

  it.each<[string, Parts]>([
    ["behind other elements", { elements: [(3 << 4) | 2, 1, 2, 3, ID << 4, 20] }],
    ["behind padding (RFC 8285, section 4.1.2)", { elements: [0, 0, ID << 4, 20] }],
    ["behind contributing sources", { csrcs: 15, elements: [ID << 4, 20] }],
    ["of two bytes of header, with application bits", { profile: 0x100f, elements: [0, 3, 0, ID, 1, 20] }],
  ])("is found %s", (_title, parts) => {
    expect(audioLevel(packet(parts), ID)).toBeCloseTo(0.1, 6);
  });

  it.each<[string, Parts]>([
    ["has only others", { elements: [3 << 4, 20] }],
    ["has an empty extension", { elements: [] }],
    ["has one of another profile", { profile: 0x1234, elements: [ID, 1, 20] }],
    ["ends its elements with the id 15 (RFC 8285, section 4.2)", { elements: [0xf0, 0, ID << 4, 20] }],
    ["has an element without a byte of content", { profile: TWO_BYTE, elements: [ID, 0, 20, 20] }],
    ["has an element that runs into the sound", { elements: [0, 0, 0, ID << 4] }],
    ["has one of two bytes of header that does", { profile: TWO_BYTE, elements: [0, 0, ID, 1] }],
    ["ends before its extension does", { words: 7, elements: [ID << 4, 20] }],
  ])("is none in a packet that %s", (_title, parts) => {
    expect(audioLevel(packet(parts), ID)).toBeNull();
  });

  it("is none in a packet without an extension, and in no packet at all", () => {
    const plain = packet({ elements: [ID << 4, 20] });
    plain[0] = 0x80;
    expect(audioLevel(plain, ID)).toBeNull();
    for (let length = 0; length < 17; length++) expect(audioLevel(plain.subarray(0, length), ID)).toBeNull();
  });

  it("is a number of 0 to 1 or none, whatever the bytes are", () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    const extended = fc
      .tuple(fc.constantFrom(ONE_BYTE, TWO_BYTE, 0xffff), bytes, fc.nat(15), fc.nat(0xffff))
      .map(([profile, elements, csrcs, words]) => packet({ profile, elements: [...elements], csrcs, words }));
    fc.assert(
      fc.property(fc.oneof(bytes.map(Buffer.from), extended), fc.integer({ min: 1, max: 255 }), (given, id) => {
        const level = audioLevel(Buffer.from(given), id);
        if (level === null) return;
        expect(level).toBeGreaterThanOrEqual(0);
        expect(level).toBeLessThanOrEqual(1);
      }),
      { seed: SEED, numRuns: 5_000 },
    );
  });
});
