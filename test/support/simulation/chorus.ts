import * as z from "zod";
import { LogEntry } from "../../../schema/call-log.ts";
import type { InCallMessage } from "../../../schema/client-messages.ts";
import { DEVICES, type DeviceName, idOf, type Name, named, ownerOf, PEOPLE, personOf } from "./cast.ts";
import { Ear } from "./ear.ts";
import { CALM, type Weather } from "./network.ts";
import { type ObjectClasses, World } from "./world.ts";

type WithoutCall<T> = T extends unknown ? Omit<T, "callId"> : never;

/** What is said to the call, and how long after the line before. */
export interface Line {
  readonly after: number;
  readonly device: DeviceName;
  readonly message: WithoutCall<InCallMessage>;
}

export interface Call {
  readonly caller: DeviceName;
  readonly callees: readonly Name[];
  readonly callType: "video" | "group";
}

const Row = z.object({ log: z.array(LogEntry) });

const IMMEDIATE: Weather = { ...CALM, delayMs: 0 };
/** The last word of all has arrived; what failed was told again after a second. */
const SETTLED_MS = 15_000;

/** A call to which everything is said at set times: only what objects tell each other takes its time. */
export class Chorus {
  readonly world: World;
  readonly #ears: ReadonlyMap<DeviceName, Ear>;

  constructor(classes: ObjectClasses, seed: number) {
    this.world = new World(classes, seed, IMMEDIATE);
    this.#ears = new Map(
      DEVICES.map((name) => [name, new Ear(this.world, personOf(ownerOf(name)), idOf(name))] as const),
    );
  }

  async perform({ caller, callees, callType }: Call, lines: readonly Line[], weather: Weather): Promise<void> {
    await this.world.runFor(1_000);
    this.#ears.get(caller)?.initiate(callees.map(idOf), callType);
    await this.world.runFor(1_000);
    const [callId = ""] = this.world.callIds;
    for (const ear of this.#ears.values()) ear.callId = callId;
    await this.go(lines, weather);
  }

  /** What is said next, and what comes of it. */
  async go(lines: readonly Line[], weather: Weather): Promise<void> {
    const { network } = this.world;
    network.weather = weather;
    for (const { after, device, message } of lines) {
      await this.world.runFor(after);
      const ear = this.#ears.get(device);
      await ear?.say({ ...message, callId: ear.callId });
    }
    await this.world.runFor(SETTLED_MS);
    network.weather = IMMEDIATE;
    await this.world.runFor(SETTLED_MS);
  }

  shows(device: DeviceName): unknown {
    return JSON.parse(named(this.#ears.get(device)?.shows(false)));
  }

  /** What each device shows, what the call is for each user, and what happened in it. */
  async outcome(withDevices = true): Promise<string[]> {
    const [callId = ""] = this.world.callIds;
    const call = this.world.call(callId);
    const shows = [...this.#ears].map(([name, ear]) => [name, ear.shows(withDevices)]);
    const views: unknown[] = [];
    for (const { name } of PEOPLE) views.push(await call.call("look", [idOf(name)]));
    const names = new Map([[callId, "the call"]]);
    return [...shows, ...views, Row.parse(call.stored("call")).log].map((each) => named(each, names));
  }
}
