import { vi } from "vitest";
import type { CallEvent, LedgerEvent } from "../../../schema/ledger.ts";
import { type ConfirmTargets, confirm } from "../../../workers/ledger/confirm.ts";
import { Random } from "../random.ts";
import { Clock } from "./clock.ts";
import { runsOn } from "./globals.ts";
import { type ClientEnd, type Link, Network, type Radio, type Weather } from "./network.ts";
import { HostedObject, type ObjectClass } from "./platform.ts";

export const T0 = 1_700_000_000_000;
const DAY_MS = 24 * 3_600_000;

/** With the settings of a deployment, but for how often somebody may call: scripts call more often than people. */
const SETTINGS = {
  LEDGER_RETRY_SECONDS: "10",
  INITIATION_BURST: "1000",
  INITIATION_PER_MINUTE: "1000",
  PAIR_BURST: "1000",
  PAIR_PER_MINUTE: "1000",
};

export interface ObjectClasses {
  readonly user: ObjectClass;
  readonly call: ObjectClass;
}

/** What the platform gives each object's class. */
class DurableObject {
  readonly ctx: unknown;
  readonly env: unknown;

  constructor(ctx: unknown, env: unknown) {
    this.ctx = ctx;
    this.env = env;
  }
}

/** The real objects: by their paths, for their types and those of a browser cannot be in one program. */
export async function objectClasses(): Promise<ObjectClasses> {
  vi.doMock("cloudflare:workers", () => ({ DurableObject }));
  const user = await vi.importActual<{ UserObject: ObjectClass }>("../../../workers/user/user-object.ts");
  const call = await vi.importActual<{ CallObject: ObjectClass }>("../../../workers/call/call-object.ts");
  return { user: user.UserObject, call: call.CallObject };
}

export interface Person {
  readonly userId: string;
  readonly name: string;
}

/** A deployment: the objects of all users and calls, the network between them, and the ledger. */
export class World {
  readonly clock = new Clock(T0);
  readonly random: Random;
  readonly network: Network;
  /** What the ledger was told of calls, in the order in which it came. */
  readonly told: CallEvent[] = [];
  readonly #classes: ObjectClasses;
  readonly #objects = { user: new Map<string, HostedObject>(), call: new Map<string, HostedObject>() };

  constructor(classes: ObjectClasses, seed: number, weather: Weather) {
    this.#classes = classes;
    this.random = new Random(seed);
    this.network = new Network(this.clock, this.random, weather);
    runsOn(this);
  }

  get now(): number {
    return this.clock.now - T0;
  }

  /** What went wrong inside objects, which no network explains. */
  get failures(): string[] {
    const objects = [...this.#objects.user.values(), ...this.#objects.call.values()];
    return objects.flatMap(({ failures }) => failures.map(String));
  }

  get callIds(): string[] {
    return [...this.#objects.call.keys()];
  }

  /** Asks an object as if there were no network between. */
  call(callId: string): HostedObject {
    return this.#object("call", callId);
  }

  user(userId: string): HostedObject {
    return this.#object("user", userId);
  }

  dial(radio: Radio, person: Person, path: string, client: ClientEnd): Link {
    const callId = /^\/calls\/(.*)\/ws$/.exec(path)?.[1];
    const object = callId === undefined ? this.user(person.userId) : this.call(callId);
    const identity = { ...person, avatarUrl: null, expiresAt: T0 + DAY_MS };
    const request = { url: `http://switchboard.test${path}`, headers: { get: () => JSON.stringify(identity) } };
    return radio.dial(object, request, client);
  }

  /** Every object that is doing nothing loses its memory. */
  evict(): void {
    for (const objects of Object.values(this.#objects)) for (const object of objects.values()) object.evict();
  }

  async runFor(ms: number): Promise<void> {
    runsOn(this);
    await this.clock.runUntil(this.clock.now + ms);
  }

  #object(kind: "user" | "call", name: string): HostedObject {
    const known = this.#objects[kind].get(name);
    if (known) return known;
    const made = new HostedObject(name, { objectClass: this.#classes[kind], env: this.#env, clock: this.clock });
    this.#objects[kind].set(name, made);
    return made;
  }

  readonly #env = {
    ...SETTINGS,
    USERS: { getByName: (name: string) => this.#remote(() => this.user(name)) },
    CALLS: { getByName: (name: string) => this.#remote(() => this.call(name)) },
    LEDGER: {
      send: (event: LedgerEvent) => this.#tell([event]),
      sendBatch: (batch: readonly { body: LedgerEvent }[]) => this.#tell(batch.map(({ body }) => body)),
    },
    PUSHES: { send: async () => {} },
  };

  /** What the ledger confirms goes through the network too. */
  readonly #confirmed: ConfirmTargets = {
    USERS: { getByName: (name) => ({ ledgerConfirmed: (entries) => this.#confirm(this.user(name), entries) }) },
    CALLS: { getByName: (name) => ({ ledgerConfirmed: (rev) => this.#confirm(this.call(name), rev) }) },
  };

  async #confirm(object: HostedObject, given: unknown): Promise<void> {
    await this.network.ask(object, "ledgerConfirmed", [given]);
  }

  /** A stub: whatever is called on it is asked of the object. */
  #remote(object: () => HostedObject): object {
    return new Proxy(
      {},
      {
        get:
          (_target, method) =>
          (...given: readonly unknown[]) =>
            this.network.ask(object(), String(method), given),
      },
    );
  }

  /** The queue: at least once, in any order. */
  async #tell(events: readonly LedgerEvent[]): Promise<void> {
    const { clock, network, random } = this;
    const times = random.happens(network.weather.doubled) ? 2 : 1;
    for (let i = 0; i < times; i++) clock.after(network.delay(), () => void this.#consume(events));
  }

  async #consume(events: readonly LedgerEvent[]): Promise<void> {
    for (const event of events) if (event.kind === "call") this.told.push(event);
    await confirm(this.#confirmed, events);
  }
}
