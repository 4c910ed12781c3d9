import { networkInterfaces } from "node:os";
import { expect } from "vitest";
import { WorkerPool } from "../../../sfu-node/workers.ts";
import { ensureMediasoupWorker } from "../../../tools/setup/mediasoup-worker.ts";
import { RoomOnNodes } from "../../support/room-nodes.ts";
import { type Got, type Stack, StackInRoom } from "../../support/stack-participant.ts";

const WITHIN = { interval: 200 };

/** People with different WebRTC stacks in one room, each in its own process or in this one. */
export class Company {
  readonly people = new Map<string, StackInRoom>();
  readonly #pool: WorkerPool;
  readonly #room: RoomOnNodes;

  private constructor(pool: WorkerPool, room: RoomOnNodes) {
    this.#pool = pool;
    this.#room = room;
  }

  static async open(): Promise<Company> {
    const workerBin = await ensureMediasoupWorker({ log: () => {} });
    const address = ownAddress();
    const about = { listenIp: address, announcedAddress: address, rtcPort: 0, workerBin, log: () => {} };
    const pool = await WorkerPool.open({ count: 1, ...about });
    return new Company(pool, await RoomOnNodes.open(pool));
  }

  async comeIn<T extends Stack>(id: string, stack: T): Promise<T> {
    await this.#open(id, stack).join();
    return stack;
  }

  /** One leaves and another comes at once, so that the others hear of both in one offer. */
  async replace(id: string, successorId: string, stack: Stack): Promise<void> {
    const sdp = await stack.offer();
    const leaving = this.leave(id);
    await Promise.all([leaving, this.#open(successorId, stack).join(sdp)]);
  }

  #open(id: string, stack: Stack): StackInRoom {
    const one = new StackInRoom(id, stack, (message) => this.#room.tell(0, message));
    this.people.set(id, one);
    this.#room.people.set(id, one);
    return one;
  }

  async leave(id: string): Promise<void> {
    const one = this.people.get(id);
    this.people.delete(id);
    await one?.leave();
    this.#room.people.delete(id);
  }

  /** Gone, and everybody's m-lines of that participant are idle. */
  async leaveForGood(id: string): Promise<void> {
    await this.leave(id);
    for (const one of this.people.values()) {
      const known = async () => (await one.got()).some(({ participantId }) => participantId === id);
      await expect.poll(known, WITHIN).toBe(false);
    }
  }

  /** That each has what each of the others sends, and goes on getting it. */
  async expectAllToGetAll(sources: Readonly<Record<string, readonly string[]>> = {}): Promise<void> {
    for (const one of this.people.values()) {
      const expected = [...this.people.keys()]
        .filter((other) => other !== one.id)
        .flatMap((other) => (sources[other] ?? ["camera", "microphone"]).map((source) => `${other}/${source}`))
        .sort();
      await expect.poll(() => arriving(one), { ...WITHIN, message: `what ${one.id} gets` }).toEqual(expected);
    }
    for (const { id, refused } of this.people.values()) expect({ id, refused }).toEqual({ id, refused: [] });
    expect(this.#room.failures).toEqual([]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.people.values()].map(({ stack }) => stack.close()));
    this.#room.close();
    await this.#pool.close();
  }
}

/** What has arrived since the last look: packets of sound, pictures of video. */
async function arriving(one: StackInRoom): Promise<string[]> {
  const before = looks.get(one) ?? new Map<string, Got>();
  const now = new Map((await one.got()).map((got) => [`${got.participantId}/${got.source}`, got]));
  looks.set(one, now);
  const rises = ([key, { packets, frames }]: [string, Got]) =>
    key.endsWith("camera") || key.endsWith("screen")
      ? frames > (before.get(key)?.frames ?? 0)
      : packets > (before.get(key)?.packets ?? 0);
  return [...now].flatMap((entry) => (rises(entry) ? [entry[0]] : [])).sort();
}

const looks = new WeakMap<StackInRoom, Map<string, Got>>();

/** Of this machine. Firefox does not connect to the loopback address. */
function ownAddress(): string {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return found.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "127.0.0.1";
}
