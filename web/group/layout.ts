/** How tiles share an area. Pure: sizes in pixels. */

export interface Grid {
  readonly columns: number;
  /** Of each tile. */
  readonly width: number;
  readonly height: number;
}

/** As cameras see. What is wider would cut off heads. */
const WIDEST = 16 / 9;
/** Narrower tiles cut off what is beside a face: on a screen that is held upright they are the larger ones for it. */
const NARROWEST = { wide: 4 / 3, upright: 3 / 4 };

/** The grid whose tiles are largest. */
export function gridFor(count: number, area: { readonly width: number; readonly height: number }, gap: number): Grid {
  let best: Grid = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const grid = gridOf(columns, Math.ceil(count / columns), area, gap);
    if (grid.width * grid.height > best.width * best.height) best = grid;
  }
  return best;
}

function gridOf(columns: number, rows: number, area: { width: number; height: number }, gap: number): Grid {
  const width = Math.max(0, (area.width - gap * (columns - 1)) / columns);
  const height = Math.max(0, (area.height - gap * (rows - 1)) / rows);
  const narrowest = area.width > area.height ? NARROWEST.wide : NARROWEST.upright;
  return {
    columns,
    width: Math.floor(Math.min(width, height * WIDEST)),
    height: Math.floor(Math.min(height, width / narrowest)),
  };
}

/** Whether what sticks out is cut off, or all is shown. */
export type Fit = "cover" | "contain";

/** How high a picture of 16:9 is shown in a box, as its sender is to know, in the pixels of the screen. */
export function shownHeight(
  box: { readonly width: number; readonly height: number },
  fit: Fit,
  pixelRatio: number,
): number {
  const filled = box.width / WIDEST;
  const height = fit === "cover" ? Math.max(box.height, filled) : Math.min(box.height, filled);
  return Math.round(height * pixelRatio);
}
