import fc from "fast-check";
import { type Absence, type Act, type Cue, DEVICES, type DeviceName, type Name, ownerOf } from "./cast.ts";
import type { Weather } from "./network.ts";
import { SCRIPTS, type Script } from "./scripts.ts";

/** What fast-check draws: scripts, when everything happens, and what the network does meanwhile. */

export const AWAY_MS = 25_000;

/** Much worse than what devices and objects meet, so that everything that can go wrong does. */
export const STORM: Weather = { delayMs: 1_000, failing: 0.1, doubled: 0.1, evicted: 0.3 };
/** Nothing that is asked fails: what a device does has arrived before the next one does something. */
export const WIND: Weather = { delayMs: 400, failing: 0, doubled: 0.1, evicted: 0.3 };

const NAMES: readonly Name[] = ["Ada", "Bob", "Cid"];
const LONGEST = Math.max(...Object.values(SCRIPTS).map(({ length }) => length));

const device = fc.constantFrom(...DEVICES);
const outage = fc.constantFrom("cut" as const, "lost" as const, "stalled" as const);

export const title: fc.Arbitrary<string> = fc.constantFrom(...Object.keys(SCRIPTS));

export function script(of: string): Script {
  const found = SCRIPTS[of];
  if (!found) throw new Error(`there is no script ${of}`);
  return found;
}

/** Times between one cue and the next. */
export function gaps(min: number, max: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min, max }), { minLength: LONGEST, maxLength: LONGEST });
}

export function timed(cues: Script, between: readonly number[]): Cue[] {
  let at = 0;
  return cues.map((cue, i) => {
    at += between[i] ?? 0;
    return { ...cue, at };
  });
}

/** Begins at a share of the script's time. */
export interface Away {
  readonly device: DeviceName;
  readonly outage: Absence["outage"];
  readonly share: number;
}

export const away: fc.Arbitrary<Away> = fc.record({ device, outage, share: fc.integer({ min: 0, max: 99 }) });

export function absence(cues: readonly Cue[], { share, ...who }: Away): Absence {
  const last = Math.max(...cues.map(({ at }) => at));
  return { ...who, at: Math.floor((last * share) / 100), forMs: AWAY_MS };
}

/** Anything that anybody may do, also where it makes no sense. */
export const anything: fc.Arbitrary<{ cues: Script; between: number[] }> = fc.record({
  cues: fc
    .tuple(calls(), fc.array(fc.oneof({ weight: 5, arbitrary: presses() }, calls(), invites()), { maxLength: 13 }))
    .map(([first, others]) => [first, ...others]),
  between: fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 14, maxLength: 14 }),
});

function calls(): fc.Arbitrary<Script[number]> {
  return fc.record({ device, others: fc.integer({ min: 0, max: 2 }), isGroup: fc.boolean() }).map((drawn) => {
    const others = NAMES.filter((name) => name !== ownerOf(drawn.device));
    const callees = others.filter((_, i) => drawn.others === 2 || i === drawn.others);
    const act: Act = { type: "call", callees, ...((drawn.isGroup || callees.length > 1) && { group: true }) };
    return { device: drawn.device, act };
  });
}

function presses(): fc.Arbitrary<Script[number]> {
  const often = ["answer", "answer", "takeOver"] as const;
  const type = fc.constantFrom(...often, "decline", "ignore", "busy", "hangUp", "hold", "unhold", "takeOver", "join");
  return fc.record({ device, act: fc.record({ type, of: device }) });
}

function invites(): fc.Arbitrary<Script[number]> {
  return fc.record({ device, of: device, callee: fc.constantFrom(...NAMES) }).map(({ of, callee, ...who }) => {
    const callees = callee === ownerOf(who.device) ? NAMES.filter((name) => name !== callee) : [callee];
    return { ...who, act: { type: "invite" as const, of, callees } };
  });
}
