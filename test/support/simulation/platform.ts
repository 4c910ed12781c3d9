import type { Clock } from "./clock.ts";

/** As much of the platform as the objects need: storage, one alarm, sockets that hibernate, and evictions. */

/** What an object's class is to the platform. */
export interface ObjectInstance {
  fetch(request: UpgradeRequest): Promise<Upgraded>;
  webSocketMessage(socket: ServerSocket, frame: string): void | Promise<void>;
  webSocketClose(socket: ServerSocket, code: number): void | Promise<void>;
  alarm(): Promise<void>;
}

export type ObjectClass = new (ctx: ObjectState, env: unknown) => ObjectInstance;

export interface UpgradeRequest {
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

export interface Upgraded {
  readonly status: number;
  readonly webSocket?: ClientSide | null;
}

/** The other end of a socket that an object has accepted. */
export interface ClientSide {
  readonly server: ServerSocket;
}

/** What leaves a server's socket. */
export interface Wire {
  send(frame: string): void;
  close(code: number): void;
}

const OPEN = 1;
const CLOSING = 2;

/** An object's end of a WebSocket; what is attached outlives an eviction. */
export class ServerSocket {
  readyState = OPEN;
  tags: readonly string[] = [];
  wire: Wire | null = null;
  answeredAt: number | null = null;
  #attachment: unknown = null;

  serializeAttachment(value: unknown): void {
    this.#attachment = value;
  }

  deserializeAttachment(): unknown {
    return this.#attachment;
  }

  send(frame: string): void {
    if (this.readyState !== OPEN) throw new TypeError("the socket is closed");
    this.wire?.send(frame);
  }

  close(code: number): void {
    if (this.readyState !== OPEN) return;
    this.readyState = CLOSING;
    this.wire?.close(code);
  }
}

class Kv {
  readonly #rows = new Map<string, unknown>();

  get(key: string): unknown {
    return this.#rows.get(key);
  }

  put(key: string, value: unknown): void {
    this.#rows.set(key, value);
  }

  delete(key: string): boolean {
    return this.#rows.delete(key);
  }

  clear(): void {
    this.#rows.clear();
  }
}

/** What the constructor of an object is given. */
export class ObjectState {
  readonly id: { readonly name: string };
  readonly storage;
  /** Everything that an object does besides answering. */
  readonly pending = new Set<Promise<unknown>>();
  ready: Promise<unknown> = Promise.resolve();
  readonly #kept: Kept;

  constructor(name: string, kept: Kept) {
    this.id = { name };
    this.#kept = kept;
    const { kv } = kept;
    this.storage = {
      kv,
      get: async (key: string) => kv.get(key),
      put: async (key: string, value: unknown) => kv.put(key, value),
      delete: async (key: string) => kv.delete(key),
      getAlarm: async () => kept.alarm.at,
      setAlarm: async (at: number) => kept.alarm.set(at),
      deleteAlarm: async () => kept.alarm.clear(),
      deleteAll: async () => kv.clear(),
    };
  }

  blockConcurrencyWhile(work: () => Promise<unknown>): void {
    this.ready = Promise.all([this.ready, work()]);
  }

  waitUntil(work: Promise<unknown>): void {
    const done = () => this.pending.delete(work);
    this.pending.add(work);
    work.then(done, done);
  }

  acceptWebSocket(socket: ServerSocket, tags: readonly string[] = []): void {
    socket.tags = tags;
    this.#kept.sockets.push(socket);
  }

  getWebSockets(tag?: string): ServerSocket[] {
    return this.#kept.sockets.filter(({ tags }) => tag === undefined || tags.includes(tag));
  }

  getTags({ tags }: ServerSocket): readonly string[] {
    return tags;
  }

  setWebSocketAutoResponse(): void {}

  getWebSocketAutoResponseTimestamp({ answeredAt }: ServerSocket): Date | null {
    return answeredAt === null ? null : new Date(answeredAt);
  }
}

class AlarmClock {
  at: number | null = null;
  readonly #clock: Clock;
  readonly #ring: () => void;
  #callOff: () => void = () => {};

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(at: number): void {
    this.clear();
    this.at = at;
    this.#callOff = this.#clock.at(at, () => {
      this.at = null;
      this.#ring();
    });
  }

  clear(): void {
    this.at = null;
    this.#callOff();
  }
}

/** What survives the object's memory. */
interface Kept {
  readonly kv: Kv;
  readonly alarm: AlarmClock;
  readonly sockets: ServerSocket[];
}

/** Workers waits ten seconds; what counts is that nothing that was sent before is still on its way. */
const IDLE_MS = 2_000;

/** One object: made when something is for it, and forgotten when nothing has been. */
export class HostedObject {
  readonly name: string;
  readonly failures: unknown[] = [];
  readonly #make: () => { instance: ObjectInstance; state: ObjectState };
  readonly #kept: Kept;
  #live: { instance: ObjectInstance; state: ObjectState } | null = null;
  readonly #clock: Clock;
  #busy = 0;
  #usedAt = 0;

  constructor(name: string, { objectClass, env, clock }: { objectClass: ObjectClass; env: unknown; clock: Clock }) {
    this.name = name;
    this.#clock = clock;
    this.#kept = {
      kv: new Kv(),
      alarm: new AlarmClock(clock, () => void this.#tell((instance) => instance.alarm())),
      sockets: [],
    };
    this.#make = () => {
      const state = new ObjectState(name, this.#kept);
      return { instance: new objectClass(state, env), state };
    };
  }

  /** An RPC, as the object itself sees it. */
  async call(method: string, given: readonly unknown[]): Promise<unknown> {
    return this.#within((instance) => {
      const known: unknown = Reflect.get(instance, method);
      if (typeof known !== "function") throw new TypeError(`there is no method ${method}`);
      return Reflect.apply(known, instance, given);
    });
  }

  async upgrade(request: UpgradeRequest): Promise<Upgraded> {
    return this.#within((instance) => instance.fetch(request));
  }

  received(socket: ServerSocket, frame: string): void {
    if (socket.readyState === OPEN) void this.#tell((instance) => instance.webSocketMessage(socket, frame));
  }

  closed(socket: ServerSocket, code: number): void {
    const index = this.#kept.sockets.indexOf(socket);
    if (index < 0) return;
    this.#kept.sockets.splice(index, 1);
    socket.readyState = CLOSING;
    void this.#tell((instance) => instance.webSocketClose(socket, code));
  }

  /** What it keeps under that key. */
  stored(key: string): unknown {
    return this.#kept.kv.get(key);
  }

  /** Its memory is gone, what it has written and its sockets stay. Only an object that does nothing for a while is evicted. */
  evict(): void {
    const isIdle = this.#busy === 0 && this.#live?.state.pending.size === 0;
    if (isIdle && this.#clock.now - this.#usedAt >= IDLE_MS) this.#live = null;
  }

  async #within<T>(work: (instance: ObjectInstance) => T | Promise<T>): Promise<T> {
    this.#live ??= this.#make();
    const { instance, state } = this.#live;
    this.#usedAt = this.#clock.now;
    this.#busy++;
    try {
      await state.ready;
      return await work(instance);
    } finally {
      this.#busy--;
    }
  }

  async #tell(work: (instance: ObjectInstance) => void | Promise<void>): Promise<void> {
    await this.#within(work).catch((error: unknown) => this.failures.push(error));
  }
}
