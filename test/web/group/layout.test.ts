import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gridFor, shownHeight } from "../../../web/group/layout.ts";

const GAP = 8;
const WIDE = { width: 1416, height: 690 };
const NARROW = { width: 374, height: 620 };

describe("tiles share", () => {
  test.each([
    [2, WIDE, 2, 1],
    [5, WIDE, 3, 2],
    [9, WIDE, 3, 3],
    [16, WIDE, 4, 4],
    [32, WIDE, 7, 5],
    [2, NARROW, 1, 2],
    [5, NARROW, 2, 3],
    [9, NARROW, 2, 5],
    [16, NARROW, 3, 6],
    [32, NARROW, 4, 8],
  ])("%d of them %j in %d columns and %d rows", (count, area, columns, rows) => {
    const grid = gridFor(count, area, GAP);
    expect([grid.columns, Math.ceil(count / grid.columns)]).toEqual([columns, rows]);
  });

  test("any area without sticking out, and none has the shape of a ribbon", () => {
    const side = fc.integer({ min: 200, max: 4_000 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), side, side, (count, width, height) => {
        const grid = gridFor(count, { width, height }, GAP);
        const rows = Math.ceil(count / grid.columns);
        expect(grid.columns * grid.width + (grid.columns - 1) * GAP).toBeLessThanOrEqual(width);
        expect(rows * grid.height + (rows - 1) * GAP).toBeLessThanOrEqual(height);
        // A pixel is lost to rounding.
        expect(grid.width / (grid.height + 1)).toBeLessThanOrEqual(16 / 9);
        expect((grid.width + 1) / grid.height).toBeGreaterThanOrEqual(width > height ? 4 / 3 : 3 / 4);
      }),
    );
  });

  test("no area at all before it is known", () => {
    expect(gridFor(3, { width: 0, height: 0 }, GAP)).toMatchObject({ width: 0, height: 0 });
  });
});

test.each([
  [{ width: 320, height: 180 }, "cover", 1, 180],
  [{ width: 320, height: 180 }, "cover", 2, 360],
  [{ width: 100, height: 180 }, "cover", 1, 180],
  [{ width: 640, height: 180 }, "cover", 1, 360],
  [{ width: 640, height: 180 }, "contain", 1, 180],
  [{ width: 320, height: 900 }, "contain", 1, 180],
] as const)(
  "in a box of %j that it is to %s, at %d pixels a pixel, a picture is %d high",
  (box, fit, ratio, height) => {
    expect(shownHeight(box, fit, ratio)).toBe(height);
  },
);
