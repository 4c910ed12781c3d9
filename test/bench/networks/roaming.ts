import { setTimeout as delay } from "node:timers/promises";
import { accept, callGroup } from "../../support/group.ts";
import type { Home } from "../../support/network/home.ts";
import type { Resident } from "../../support/network/resident.ts";
import { TwoHomes } from "../../support/network/two-homes.ts";
import { until } from "../../support/until.ts";
import { type Percentiles, percentiles } from "../statistics.ts";

/** What happens to a call under way. */
const MOVES = ["another way", "only a relay left", "another provider", "a room"] as const;
type Move = (typeof MOVES)[number];

/** One kind of move. */
export interface MoveFigures {
  readonly move: Move;
  readonly calls: number;
  /** The longest time without a new picture of somebody whose path it was, of all who look on, in ms. */
  readonly gap: Percentiles;
}

/** A browser notices late on a busy machine; what never comes back is a failure. */
const PATIENCE_MS = 60_000;

/** Nobody moves in the first seconds of a call. */
const TALK_MS = 4_000;

interface Places {
  readonly town: TwoHomes;
  readonly cafe: Home;
  readonly office: Home;
}

/** Calls whose path dies: how long pictures stay away. */
export async function measureMoves(calls: number, say: (line: string) => void): Promise<MoveFigures[]> {
  const town = await TwoHomes.start();
  try {
    await town.startNode();
    const cafe = await town.internet.home("port restricted");
    const places = { town, cafe, office: await town.internet.home("UDP blocked") };
    const gaps = new Map(MOVES.map((move): [Move, number[]] => [move, []]));
    for (let round = 1; round <= calls; round++) {
      for (const [move, measured] of gaps) measured.push(await gapAt(move, places));
      say(`moves: round ${round} of ${calls}: ${[...gaps].map(([, all]) => `${all.at(-1)} ms`).join(", ")}`);
    }
    return [...gaps].map(([move, all]) => ({ move, calls: all.length, gap: percentiles(all) }));
  } finally {
    await town.close();
  }
}

async function gapAt(move: Move, { town, cafe, office }: Places): Promise<number> {
  const { ada: hosts } = town.hosts;
  const people = move === "a room" ? await room(town) : await pair(town);
  const [ada, ...others] = people;
  if (!ada || !others[0]) throw new Error("nobody is there");
  await delay(TALK_MS);
  await Promise.all([ada.watch(others[0]), ...others.map((other) => other.watch(ada))]);
  await (move === "another provider"
    ? town.homes.bob.changeProvider()
    : hosts.moveTo(move === "only a relay left" ? office : cafe));
  const isRenewed = async () =>
    (await ada.phases()).includes("Reconnecting…") && (await ada.phases()).at(-1) === "Connected";
  await until(isRenewed, `the end of ${move}`, PATIENCE_MS);
  await Promise.all(people.map((one) => one.seesAndHears()));
  const gap = Math.round(Math.max(...(await Promise.all(people.map((one) => one.gap())))));
  // With the last but one the call is over.
  const leaving = people.slice(0, -1);
  for (const { page } of leaving) await page.getByRole("button", { name: /^(Hang up|Leave)$/ }).click();
  await town.closePages();
  if (move !== "another provider") await hosts.moveTo(town.homes.ada);
  return gap;
}

async function pair(town: TwoHomes): Promise<Resident[]> {
  const { ada, bob } = await town.residents();
  await ada.call(bob);
  await bob.answer();
  await Promise.all([ada.seesAndHears(), bob.seesAndHears()]);
  return [ada, bob];
}

async function room(town: TwoHomes): Promise<Resident[]> {
  const { ada, bob, eve } = await town.three();
  await callGroup(ada.page, [bob.account.name, eve.account.name]);
  await accept(bob.page, eve.page);
  await Promise.all([ada.seesAndHears(), bob.seesAndHears(), eve.seesAndHears()]);
  return [ada, bob, eve];
}
