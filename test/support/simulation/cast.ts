import * as z from "zod";
import { BareDevice, type Press } from "./bare-device.ts";
import type { Outage, Weather } from "./network.ts";
import { CALM } from "./network.ts";
import { type ObjectClasses, type Person, World } from "./world.ts";

/** Who is there, and with which devices. */
export const PEOPLE = [
  { name: "Ada", devices: ["ada's phone", "ada's laptop"] },
  { name: "Bob", devices: ["bob's phone", "bob's tablet"] },
  { name: "Cid", devices: ["cid's phone"] },
] as const;

export type Name = (typeof PEOPLE)[number]["name"];
export type DeviceName = (typeof PEOPLE)[number]["devices"][number];
const EVERYTHING: readonly (Name | DeviceName)[] = PEOPLE.flatMap(({ name, devices }) => [name, ...devices]);

/** The same in every run. */
export function idOf(name: Name | DeviceName): string {
  return `00000000-0000-4000-8000-0000000000${(16 + EVERYTHING.indexOf(name)).toString(16)}`;
}

export function personOf(name: Name): Person {
  return { userId: idOf(name), name };
}

/** With names for ids. @param others besides those of people and devices */
export function named(value: unknown, others: ReadonlyMap<string, string> = new Map()): string {
  const names = new Map([...others, ...EVERYTHING.map((name) => [idOf(name), name] as const)]);
  return JSON.stringify(value, (_key, field) => (typeof field === "string" ? (names.get(field) ?? field) : field));
}

export function ownerOf(device: DeviceName): Name {
  const owner = PEOPLE.find(({ devices }) => devices.some((name) => name === device));
  if (!owner) throw new Error(`nobody has ${device}`);
  return owner.name;
}

export const DEVICES: readonly DeviceName[] = PEOPLE.flatMap(({ devices }) => devices);

/** What a script says of a press: people by name, and the call as the one that a device has started. */
export type Act =
  | { readonly type: "call"; readonly callees: readonly Name[]; readonly group?: true }
  | { readonly type: Exclude<Press["type"], "call" | "invite">; readonly of: DeviceName }
  | { readonly type: "invite"; readonly of: DeviceName; readonly callees: readonly Name[] };

export interface Cue {
  /** In ms from when everybody is there. */
  readonly at: number;
  readonly device: DeviceName;
  readonly act: Act;
  /** When it is pressed again, if there was nothing to press before. */
  readonly again?: number;
}

export interface Absence {
  readonly at: number;
  readonly device: DeviceName;
  readonly outage: Outage;
  readonly forMs: number;
}

/** Time for everybody to register. */
const ARRIVAL_MS = 5_000;

const Started = z.object({ callId: z.string(), caller: z.object({ deviceId: z.string() }) });

/** A world in which a script is played. */
export class Cast {
  readonly world: World;
  readonly devices: ReadonlyMap<DeviceName, BareDevice>;

  constructor(classes: ObjectClasses, seed: number, weather: Weather = CALM) {
    this.world = new World(classes, seed, weather);
    this.devices = new Map(DEVICES.map((name) => [name, this.#deviceOf(name)]));
  }

  device(name: DeviceName): BareDevice {
    const device = this.devices.get(name);
    if (!device) throw new Error(`there is no ${name}`);
    return device;
  }

  /** Everything happens at its time. Afterwards the network is good, and everybody is back. */
  async play(cues: readonly Cue[], absences: readonly Absence[] = []): Promise<void> {
    const { clock, network } = this.world;
    await this.world.runFor(ARRIVAL_MS);
    for (const { at, device, act, again } of cues)
      clock.after(at, () => {
        if (!this.#press(device, act) && again !== undefined) clock.after(again - at, () => this.#press(device, act));
      });
    for (const { at, device, outage, forMs } of absences)
      clock.after(at, () => this.device(device).radio.goes(outage, forMs));
    const ends = [...cues.map(({ at, again = at }) => again), ...absences.map(({ at, forMs }) => at + forMs)];
    await this.world.runFor(Math.max(...ends) + 1);
    network.weather = CALM;
  }

  /** The latest call that this device has started, if it has come to that. */
  callOf(device: DeviceName): string {
    const { deviceId } = this.device(device);
    const started = this.world.callIds.map((callId) => Started.safeParse(this.world.call(callId).stored("call")).data);
    return started.findLast((call) => call?.caller.deviceId === deviceId)?.callId ?? "";
  }

  named(value: unknown): string {
    return named(value, new Map(DEVICES.map((name) => [this.callOf(name), `call of ${name}`])));
  }

  #deviceOf(name: DeviceName): BareDevice {
    const isOther = (other: BareDevice, callId: string) =>
      other !== device && other.radio.isUp && other.calls.get(callId)?.isAnswered === true;
    const hasPath = (callId: string) =>
      device.radio.isUp && [...this.devices.values()].some((other) => isOther(other, callId));
    const device = new BareDevice(this.world, personOf(ownerOf(name)), idOf(name), hasPath);
    return device;
  }

  #press(device: DeviceName, act: Act): boolean {
    const callId = act.type === "call" ? "" : this.callOf(act.of);
    return this.device(device).press(this.#pressOf(act), callId);
  }

  #pressOf(act: Act): Press {
    switch (act.type) {
      case "call":
        return { type: "call", calleeIds: act.callees.map(idOf), callType: act.group ? "group" : "video" };
      case "invite":
        return { type: "invite", calleeIds: act.callees.map(idOf) };
      default:
        return { type: act.type };
    }
  }
}
