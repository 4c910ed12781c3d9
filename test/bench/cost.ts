import type { Counted, CountedCalls } from "./counted.ts";
import type { Reading, Unit } from "./counting/tally.ts";
import { purposeOf } from "./purposes.ts";
import { rounded } from "./statistics.ts";

/** Dollars for a million of each, on the paid plan. A message of a queue is written, read and deleted: three operations. */
const PRICES = { objectRequest: 0.15, row: 1, queueMessage: 3 * 0.4, workerRequest: 0.3 };
/** Incoming socket messages that are billed as one request. */
const MESSAGES_PER_REQUEST = 20;

/** What one call may cost: the budget of the design. */
export const BUDGET = { requests: 12, rows: 10, queueMessages: 3 };

/** One line of the bill, for one call of each kind. */
export interface CostLine {
  readonly unit: Unit;
  readonly object: string;
  readonly item: string;
  readonly purpose: string;
  readonly perCall: readonly number[];
}

export interface CallCost {
  readonly talkSeconds: number;
  readonly calls: number;
  /** To objects: RPC, sockets, alarms, and messages at 20 to 1. */
  readonly requests: number;
  readonly rows: number;
  readonly queueMessages: number;
  readonly workerRequests: number;
  /** Without the objects' time awake, which a local run cannot know: it is spent waiting for a real network. */
  readonly dollarsPerMillion: number;
}

export interface Cost {
  readonly lines: readonly CostLine[];
  readonly calls: readonly CallCost[];
  readonly rowsPerWrite: Counted["rowsPerWrite"];
}

const ORDER: readonly Unit[] = [
  "object request",
  "socket message",
  "row",
  "queue message",
  "worker request",
  "not billed",
];

export function costOf({ kinds, rowsPerWrite }: Counted): Cost {
  const lines = linesOf(kinds);
  return { lines, calls: kinds.map((kind, index) => total(lines, kind, index)), rowsPerWrite };
}

function linesOf(kinds: readonly CountedCalls[]): CostLine[] {
  const lines = new Map<string, Omit<CostLine, "perCall" | "purpose"> & { perCall: number[] }>();
  for (const [index, kind] of kinds.entries()) {
    for (const { unit, object, item, count } of difference(kind)) {
      const key = `${unit}/${object}/${item}`;
      const line = lines.get(key) ?? { unit, object, item, perCall: kinds.map(() => 0) };
      line.perCall[index] = rounded(count / kind.calls);
      lines.set(key, line);
    }
  }
  return [...lines.values()].sort(byPlace).map((line) => ({ ...line, purpose: purposeOf(line) }));
}

function byPlace(a: Pick<CostLine, "unit" | "object">, b: Pick<CostLine, "unit" | "object">): number {
  return ORDER.indexOf(a.unit) - ORDER.indexOf(b.unit) || a.object.localeCompare(b.object);
}

/** What came to be in between; an alarm that is armed now and was not before will be a request in its time. */
function difference({ before, after }: CountedCalls): Reading["counts"] {
  const key = ({ unit, object, item }: Reading["counts"][number]) => `${unit}/${object}/${item}`;
  const known = new Map(before.counts.map((count) => [key(count), count.count]));
  const counts = after.counts.map((count) => ({ ...count, count: count.count - (known.get(key(count)) ?? 0) }));
  const alarms = Object.entries(after.alarms).map(([object, armed]) => ({
    unit: "object request" as const,
    object,
    item: "alarm, still to come",
    count: armed - (before.alarms[object] ?? 0),
  }));
  return [...counts, ...alarms].filter(({ count }) => count !== 0);
}

function total(lines: readonly CostLine[], { talkSeconds, calls }: CountedCalls, index: number): CallCost {
  const sum = (unit: Unit) =>
    lines.filter((line) => line.unit === unit).reduce((so, { perCall }) => so + (perCall[index] ?? 0), 0);
  const requests = sum("object request") + sum("socket message") / MESSAGES_PER_REQUEST;
  const [rows, queueMessages, workerRequests] = [sum("row"), sum("queue message"), sum("worker request")];
  const dollars =
    requests * PRICES.objectRequest +
    rows * PRICES.row +
    queueMessages * PRICES.queueMessage +
    workerRequests * PRICES.workerRequest;
  return {
    talkSeconds,
    calls,
    requests: rounded(requests),
    rows: rounded(rows),
    queueMessages: rounded(queueMessages),
    workerRequests: rounded(workerRequests),
    dollarsPerMillion: rounded(dollars),
  };
}
