import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Percentiles, percentiles } from "../statistics.ts";
import { type EdgeRig, type Node, startEdgeRig } from "./edge-rig.ts";
import { LoadClient, untilHeard } from "./load-client.ts";
import { TILE } from "./load-media.ts";

export interface GapsPlan {
  readonly people: number;
  readonly kills: number;
  readonly freezes: number;
  readonly drains: number;
  /** Of one of the nodes that a room spans. */
  readonly partialDrains: number;
}

/** The longest time without a packet, in ms. */
export interface Gap {
  readonly times: number;
  /** At each receiver: from anybody. */
  readonly ofAnybody: Percentiles;
  /** At each receiver: from each of the others. */
  readonly ofEach: Percentiles;
}

export interface Gaps {
  readonly people: number;
  readonly kill: Gap;
  readonly freeze: Gap;
  readonly drain: Gap;
  /** Of one of several nodes that the room spans. */
  readonly partialDrain: Gap;
  /** Of the same length, when nothing happens: what the machine does by itself. */
  readonly quiet: Gap;
}

/** What may befall a node with a room. */
type Mishap = (node: Node) => Promise<void>;

const PATIENCE_MS = 30_000;
/** After everybody hears everybody again: gaps that began later count too. */
const AFTER_MS = 1_500;
const QUIET_MS = 2_000;

const NEVER: Gap = { times: 0, ofAnybody: percentiles([]), ofEach: percentiles([]) };

const kill: Mishap = async (node) => node.signal("SIGKILL");
const freeze: Mishap = async (node) => node.signal("SIGSTOP");
/** Back when the node has ended: its rooms are elsewhere. */
const drain: Mishap = async ({ part }) => {
  const ended = once(part.child, "exit");
  part.child.kill("SIGTERM");
  await ended;
};
const nothing: Mishap = () => delay(QUIET_MS);

/** A group call over the real edge and two nodes, of which the one with the room is lost again and again. */
export async function measureGaps(
  plan: GapsPlan,
  folder: string,
  workerBin: string,
  say: (line: string) => void,
): Promise<Gaps> {
  await using parts = new AsyncDisposableStack();
  say("gaps: starting Postgres, the edge and two nodes");
  const rig = await startEdgeRig(folder, workerBin, parts, () => {});
  await Promise.all([rig.startNode(), rig.startNode()]);
  const clients = await beginCall(rig, plan.people, parts);
  const befall = (what: string, times: number, mishap: Mishap) => repeat(rig, clients, what, times, mishap, say);
  const partialDrain = plan.partialDrains > 0 ? await measurePartialDrain(plan, folder, workerBin, say) : NEVER;
  return {
    people: plan.people,
    partialDrain,
    quiet: await befall("nothing", Math.min(plan.kills, 5), nothing),
    drain: await befall("drain", plan.drains, drain),
    kill: await befall("kill", plan.kills, kill),
    freeze: await befall("freeze", plan.freezes, freeze),
  };
}

/** A room over two of three nodes, of which the one that the room began on is to stop again and again. */
async function measurePartialDrain(
  { people, partialDrains }: GapsPlan,
  folder: string,
  workerBin: string,
  say: (line: string) => void,
): Promise<Gap> {
  await using parts = new AsyncDisposableStack();
  const rig = await startEdgeRig(join(folder, "partial"), workerBin, parts, () => {});
  // Each of its people takes sound and picture of all: half of them fill a node.
  const small = { SFU_CONSUMERS_PER_WORKER: String(people * people) };
  await Promise.all(Array.from({ length: 3 }, () => rig.startNode(small)));
  const clients = await beginCall(rig, people, parts);
  const restarted = { ...rig, startNode: () => rig.startNode(small) };
  return await repeat(restarted, clients, "drain of one of several", partialDrains, drain, say);
}

async function beginCall(rig: EdgeRig, people: number, parts: AsyncDisposableStack): Promise<readonly LoadClient[]> {
  const names = Array.from({ length: people }, (_, i) => `Load ${i}`);
  const opening = names.map((name, tag) => LoadClient.open(rig.url, name, { tag, isSpeaking: true, camera: TILE }));
  const [caller, callee, ...others] = await Promise.all(opening);
  if (!caller || !callee) throw new Error("a call needs two");
  const clients = [caller, callee, ...others];
  for (const client of clients) parts.defer(() => client.close());
  caller.callGroup([callee.person, ...others.map(({ person }) => person)]);
  await untilHeard(clients, people - 1, PATIENCE_MS);
  await delay(AFTER_MS);
  return clients;
}

async function repeat(
  rig: EdgeRig,
  clients: readonly LoadClient[],
  what: string,
  times: number,
  mishap: Mishap,
  say: (line: string) => void,
): Promise<Gap> {
  const ofAnybody: number[] = [];
  const ofEach: number[] = [];
  for (let i = 0; i < times; i++) {
    const node = await rig.serving();
    for (const { arrivals } of clients) arrivals.reset();
    await mishap(node);
    // What was on its way still comes.
    await delay(50);
    await untilHeard(clients, clients.length - 1, PATIENCE_MS);
    await delay(AFTER_MS);
    ofAnybody.push(...clients.map(({ arrivals }) => arrivals.longest));
    ofEach.push(...clients.flatMap(({ arrivals }) => arrivals.longestOfEach));
    say(
      `gaps: ${what} ${i + 1} of ${times}: ${Math.round(Math.max(...ofEach.slice(-clients.length * (clients.length - 1))))} ms`,
    );
    if (mishap === nothing) continue;
    await rig.forget(node);
    await rig.startNode();
  }
  return { times, ofAnybody: percentiles(ofAnybody), ofEach: percentiles(ofEach) };
}
