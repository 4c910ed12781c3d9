import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { mediaReturns, sendWholePicture } from "../../client/return-of-media.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("[RES-5] on a path that was renewed, media", () => {
  test.each([
    ["returns with the first new packet", [7, 7, 7, 8], true, 300],
    ["does not return while there is none", [7], false, 1_500],
    ["does not return on a path that is given up", [7, 7], false, 200],
  ])("%s", async (_what, counts, expected, ms) => {
    const started = Date.now();
    let looked = 0;
    const sample = async () => ({ received: counts[looked++] ?? 7 });
    const isOpen = () => counts.length !== 2 || looked < 3;
    const returned = mediaReturns({ sample, isOpen }, 1_500);
    await vi.runAllTimersAsync();
    expect(await returned).toBe(expected);
    expect(Date.now() - started).toBe(ms);
  });
});

describe("a picture that can be shown by itself", () => {
  const parameters = { encodings: [{}], transactionId: "1", codecs: [], headerExtensions: [], rtcp: {} };

  test("is asked of the encoder", async () => {
    const asked: unknown[] = [];
    await sendWholePicture({ getParameters: () => parameters, setParameters: async (...of) => void asked.push(of) });
    expect(asked).toEqual([[parameters, { encodingOptions: [{ keyFrame: true }] }]]);
  });

  test("is done without where a browser has no such thing", async () => {
    const setParameters = () => Promise.reject(new TypeError("no such option"));
    await sendWholePicture({ getParameters: () => parameters, setParameters });
  });
});
