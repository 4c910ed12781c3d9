import { AsyncLocalStorage } from "node:async_hooks";
import * as z from "zod";
import { Tally } from "./tally.ts";

/** Counters around the objects: the product's own code knows nothing of them. */

export const tally = new Tally();

/** What the object is doing, so that a row can be told from others by what it was written for. */
const occasion = new AsyncLocalStorage<string>();
const currentOccasion = () => occasion.getStore() ?? "start";

/** Counts every way into an object: the platform bills each call, socket, alarm and 1/20 of each message. */
export function countEntries(object: string, prototype: object, original: object): void {
  for (const name of Object.getOwnPropertyNames(original)) {
    const method: unknown = Reflect.get(prototype, name);
    if (name === "constructor" || typeof method !== "function") continue;
    const value = function (this: object, ...args: unknown[]): unknown {
      const entry = entryOf(name, args);
      tally.add(entry.unit, object, entry.item);
      if (name === "alarm") tally.disarm(idOf(this));
      return occasion.run(entry.item, () => Reflect.apply(method, this, args));
    };
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}

/** Counts what an object writes. */
export function countWrites(object: string, ctx: DurableObjectState): DurableObjectState {
  const { storage } = ctx;
  const row = (what: string, rows = 1) => tally.add("row", object, `${what} <- ${currentOccasion()}`, rows);
  observe(storage.kv, "put", ([key]) => row(`put ${kindOf(key)}`));
  observe(storage.kv, "delete", ([key]) => row(`delete ${kindOf(key)}`));
  observe(storage, "put", ([entries]) =>
    row("put", typeof entries === "string" ? 1 : Object.keys(Object(entries)).length),
  );
  observe(storage, "delete", ([keys]) => row("delete", Array.isArray(keys) ? keys.length : 1));
  observe(storage.sql, "exec", (_, cursor) => row("sql", RowsWritten.parse(cursor).rowsWritten));
  observe(storage, "setAlarm", () => {
    row("set alarm");
    tally.arm(object, ctx.id.toString());
  });
  observe(storage, "deleteAlarm", () => {
    row("delete alarm");
    tally.disarm(ctx.id.toString());
  });
  return ctx;
}

/** Counts what goes into the ledger's queue. */
export function countQueue(object: string, env: Env): Env {
  const { LEDGER } = env;
  const sent = (body: unknown) => {
    const { kind, state = "" } = Event.parse(body);
    tally.add("queue message", object, `${kind} ${state}`.trim());
  };
  const counted: Queue = {
    metrics: () => LEDGER.metrics(),
    send(body, options) {
      sent(body);
      return LEDGER.send(body, options);
    },
    sendBatch(messages, options) {
      const all = [...messages];
      for (const { body } of all) sent(body);
      return LEDGER.sendBatch(all, options);
    },
  };
  return { ...env, LEDGER: counted };
}

const Event = z.object({ kind: z.string(), state: z.string().optional() });
const RowsWritten = z.object({ rowsWritten: z.int() });
const WithId = z.object({ ctx: z.object({ id: z.custom<DurableObjectId>() }) });

function idOf(instance: object): string {
  return WithId.parse({ ctx: Reflect.get(instance, "ctx") }).ctx.id.toString();
}

function entryOf(name: string, args: readonly unknown[]): Entry {
  switch (name) {
    case "fetch":
      return { unit: "object request", item: "socket opened" };
    case "alarm":
      return { unit: "object request", item: "alarm" };
    case "webSocketMessage":
      return { unit: "socket message", item: `message ${frameType(args[1])}` };
    case "webSocketClose":
    case "webSocketError":
      return { unit: "not billed", item: "socket closed" };
    default:
      return { unit: "object request", item: `RPC ${[name, ...argumentWords(name, args)].join(" ")}` };
  }
}

interface Entry {
  readonly unit: "object request" | "socket message" | "not billed";
  readonly item: string;
}

const Typed = z.object({ type: z.string() });
const View = z.object({ role: z.string(), state: z.string() });

function frameType(frame: unknown): string {
  return typeof frame === "string" ? Typed.parse(JSON.parse(frame)).type : "binary";
}

/** The same method serves several purposes, which its arguments tell apart. */
function argumentWords(name: string, args: readonly unknown[]): string[] {
  if (name === "command") return [Typed.parse(args[1]).type];
  if (name !== "callChanged") return [];
  const { role, state } = View.parse(args[0]);
  return [role, state];
}

/** "ice:USER:DEVICE" is of the kind "ice". */
function kindOf(key: unknown): string {
  return String(key).split(":", 1)[0] ?? "";
}

function observe<T extends object>(
  target: T,
  name: keyof T & string,
  seen: (args: unknown[], result: unknown) => void,
): void {
  const method: unknown = target[name];
  if (typeof method !== "function") throw new Error(`storage has no ${name}`);
  const value = (...args: unknown[]): unknown => {
    const result: unknown = Reflect.apply(method, target, args);
    seen(args, result);
    return result;
  };
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}
