import { randomUUID } from "node:crypto";
import { DevTokenResponse } from "../../../schema/http.ts";
import { Line } from "./line.ts";

const CALLEE_DEVICES = 3;
/** Sockets that are opened at once; more only queue up in the server. */
const AT_ONCE = 16;

/** A device on its user socket. */
export interface Device {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  readonly line: Line;
}

/** Somebody who calls, and the devices of somebody who is called. */
export interface Pair {
  readonly caller: Device;
  readonly callees: readonly Device[];
}

/** Where the server is, and how its sockets are reached. */
export class Server {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async pairs(count: number): Promise<Pair[]> {
    return inTurns(count, async (index) => {
      const [callers, callees] = await Promise.all([
        this.#person(`Caller ${index}`, 1),
        this.#person(`Callee ${index}`, CALLEE_DEVICES),
      ]);
      const [caller] = callers;
      if (!caller) throw new Error("a caller has one device");
      return { caller, callees };
    });
  }

  /** Devices of as many users. */
  async devices(count: number): Promise<Device[]> {
    const people = await inTurns(count, (index) => this.#person(`Idle ${index}`, 1));
    return people.flat();
  }

  /** The device's own socket to a call. */
  async callLine(device: Device, callId: string): Promise<Line> {
    return this.#register(`/calls/${callId}/ws`, device.token, device.deviceId);
  }

  async #person(name: string, devices: number): Promise<Device[]> {
    const answer = await fetch(`${this.#url}/api/dev/token`, { method: "POST", body: JSON.stringify({ name }) });
    const { token, userId } = DevTokenResponse.parse(await answer.json());
    return Promise.all(
      Array.from({ length: devices }, async () => {
        const deviceId = randomUUID();
        return { userId, deviceId, token, line: await this.#register("/ws", token, deviceId) };
      }),
    );
  }

  async #register(path: string, token: string, deviceId: string): Promise<Line> {
    const line = await Line.open(this.#url.replace("http", "ws") + path, token);
    line.send({ type: "register", deviceId, deviceType: "iPhone" });
    await line.next("registered");
    return line;
  }
}

async function inTurns<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  let next = 0;
  const turn = async () => {
    while (next < count) made.push(await make(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
  return made;
}
