import { MATRIX, type Networks, nameOf } from "../../support/network/matrix.ts";
import { type Way, wayBetween } from "../../support/network/path.ts";
import type { Resident } from "../../support/network/resident.ts";
import { TwoHomes } from "../../support/network/two-homes.ts";
import { until } from "../../support/until.ts";
import { type Percentiles, percentiles, rounded } from "../statistics.ts";

export interface NetworksPlan {
  readonly name: "full" | "smoke";
  readonly networks: readonly Networks[];
  /** Calls between each two networks. */
  readonly calls: number;
}

/** One row of the matrix. */
export interface NetworkFigures {
  readonly networks: string;
  readonly way: Way;
  readonly calls: number;
  /** From the answer to the first picture that is shown, on both sides, in ms. */
  readonly firstFrame: Percentiles;
}

export interface NetworksFigures {
  readonly calls: number;
  /** Of all calls. */
  readonly shares: Readonly<Record<"host" | "srflx" | "relay", number>>;
  readonly networks: readonly NetworkFigures[];
}

export const FULL: NetworksPlan = { name: "full", networks: MATRIX, calls: 20 };

/** A direct way and the hardest one. */
export const SMOKE: NetworksPlan = {
  name: "smoke",
  networks: MATRIX.filter(({ way }, i) => way === "host" || i === MATRIX.length - 1),
  calls: 1,
};

interface Measured {
  readonly way: Way;
  readonly firstFrames: readonly number[];
}

/** Round by round, so that what else the machine does meets all networks alike. */
export async function measureNetworks(plan: NetworksPlan, say: (line: string) => void): Promise<NetworksFigures> {
  const town = await TwoHomes.start();
  try {
    const measured = new Map(plan.networks.map((networks): [Networks, Measured[]] => [networks, []]));
    for (let round = 1; round <= plan.calls; round++) {
      for (const [networks, calls] of measured) calls.push(await call(town, networks));
      say(`networks: round ${round} of ${plan.calls}`);
    }
    return figures(measured);
  } finally {
    await town.close();
  }
}

function figures(measured: ReadonlyMap<Networks, readonly Measured[]>): NetworksFigures {
  const all = [...measured.values()].flat();
  const share = (is: (way: Way) => boolean) => rounded(all.filter(({ way }) => is(way)).length / all.length);
  return {
    calls: all.length,
    shares: {
      host: share((way) => way === "host"),
      srflx: share((way) => way === "srflx"),
      relay: share((way) => way.startsWith("relay")),
    },
    networks: [...measured].map(([networks, calls]) => ({
      networks: nameOf(networks),
      way: networks.way,
      calls: calls.length,
      firstFrame: percentiles(calls.flatMap(({ firstFrames }) => firstFrames)),
    })),
  };
}

async function call(town: TwoHomes, networks: Networks): Promise<Measured> {
  const { ada, bob } = await town.residentsOf(networks);
  await Promise.all([awaitFirstFrame(ada, bob), awaitFirstFrame(bob, ada)]);
  await ada.call(bob);
  const answeredAt = await answer(bob);
  const shownAt = await Promise.all([ada, bob].map(({ page }) => page.evaluate(() => window.firstFrame)));
  // A pair that works is used before the best one is found.
  let way: Way = "none";
  await until(
    async () => {
      way = await wayBetween(ada.page, bob.page);
      return way === networks.way;
    },
    `${networks.way} between ${nameOf(networks)}`,
  );
  await ada.hangUp();
  const errors = await town.closePages();
  if (errors.length > 0) throw new Error(`in a page: ${errors.join("; ")}`);
  return { way, firstFrames: shownAt.map((at) => (at ?? Number.NaN) - answeredAt) };
}

/** @returns when, in Unix ms; all pages are on one machine */
function answer({ page }: Resident): Promise<number> {
  return page.getByRole("button", { name: "Accept with video" }).evaluate((button: HTMLElement) => {
    const at = performance.timeOrigin + performance.now();
    button.click();
    return at;
  });
}

async function awaitFirstFrame({ page }: Resident, { account }: Resident): Promise<void> {
  await page.evaluate((name) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    window.firstFrame = promise;
    const look = () => {
      const video = document.querySelector<HTMLVideoElement>(`video[aria-label="Video of ${name}"]`);
      const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
      if (frames > 0) resolve(performance.timeOrigin + performance.now());
      else setTimeout(look, 5);
    };
    look();
  }, account.name);
}

declare global {
  interface Window {
    firstFrame?: Promise<number>;
  }
}
