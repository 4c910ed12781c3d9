import type { Random } from "../random.ts";
import type { Clock } from "./clock.ts";
import type { HostedObject, ServerSocket, UpgradeRequest, Wire } from "./platform.ts";

/** What the network does. Everything is drawn from one seed. */
export interface Weather {
  /** One way, in ms; most take a tenth of it. */
  readonly delayMs: number;
  /** How often something that an object asks of another fails: before it is done, or on the way back. */
  readonly failing: number;
  /** How often it comes twice. */
  readonly doubled: number;
  /** How often an object has lost its memory afterwards. */
  readonly evicted: number;
}

export const CALM: Weather = { delayMs: 20, failing: 0, doubled: 0, evicted: 0 };

/** A client's end of a socket. */
export interface ClientEnd {
  opened(): void;
  heard(frame: string): void;
  closed(code: number): void;
}

export const CLOSE_LOST = 1006;

/** After what was asked of it, an object is tried to be evicted this much later. */
const EVICTION_MS = 2_500;

/** Between devices and objects, and between objects: only what goes through the same socket stays in order. */
export class Network {
  weather: Weather;
  /** What of something that an object is asked gets lost, whatever the weather. */
  loses: (method: string) => "question" | "answer" | null = () => null;
  /** How much later the answer to it comes, in ms. */
  delays: (method: string) => number = () => 0;
  readonly clock: Clock;
  readonly random: Random;

  constructor(clock: Clock, random: Random, weather: Weather) {
    this.clock = clock;
    this.random = random;
    this.weather = weather;
  }

  delay(): number {
    const { delayMs } = this.weather;
    return this.random.below(this.random.happens(0.7) ? delayMs / 10 : delayMs);
  }

  async ask(object: HostedObject, method: string, given: readonly unknown[]): Promise<unknown> {
    const lost = this.loses(method);
    await this.clock.wait(this.delay());
    this.#mayFail(lost === "question");
    if (this.random.happens(this.weather.doubled))
      this.clock.after(this.delay(), () => void object.call(method, given).catch(() => {}));
    const result = await object.call(method, given);
    if (this.random.happens(this.weather.evicted)) this.clock.after(EVICTION_MS, () => object.evict());
    await this.clock.wait(this.delay() + this.delays(method));
    this.#mayFail(lost === "answer");
    return result;
  }

  #mayFail(mustFail: boolean): void {
    if (mustFail || this.random.happens(this.weather.failing)) throw new Error("the network failed");
  }
}

/** One way through a socket: in order, each after its own time. */
class Pipe {
  readonly #network: Network;
  #last = 0;

  constructor(network: Network) {
    this.#network = network;
  }

  carry(deliver: () => void, extraMs = 0): void {
    const { clock } = this.#network;
    this.#last = Math.max(this.#last, clock.now + this.#network.delay() + extraMs);
    clock.at(this.#last, deliver);
  }

  /** Nothing arrives before then. */
  hold(until: number): void {
    this.#last = Math.max(this.#last, until);
  }
}

/** How long the platform waits for a peer that does not answer a close. */
const CLOSE_TIMEOUT_MS = 10_000;

/** One WebSocket between a device and an object. */
export class Link implements Wire {
  readonly #network: Network;
  readonly #object: HostedObject;
  readonly #up: Pipe;
  readonly #down: Pipe;
  #client: ClientEnd | null;
  #server: ServerSocket | null = null;
  /** What the server says is not heard any more. */
  #isDeaf = false;

  constructor(network: Network, object: HostedObject, client: ClientEnd) {
    this.#network = network;
    this.#object = object;
    this.#client = client;
    this.#up = new Pipe(network);
    this.#down = new Pipe(network);
  }

  open(request: UpgradeRequest): void {
    this.#up.carry(() => void this.#upgrade(request));
  }

  async #upgrade(request: UpgradeRequest): Promise<void> {
    const { webSocket } = await this.#object.upgrade(request);
    if (webSocket) {
      this.#server = webSocket.server;
      this.#server.wire = this;
    }
    if (!this.#isDeaf) this.#down.carry(() => (webSocket ? this.#client?.opened() : this.closed(CLOSE_LOST)));
  }

  /** By the client. @param extraMs on its way besides */
  say(frame: string, extraMs = 0): void {
    this.#up.carry(() => this.#arrive(frame), extraMs);
  }

  #arrive(frame: string): void {
    const server = this.#server;
    if (!server) return;
    if (frame !== "ping") {
      this.#object.received(server, frame);
      return;
    }
    server.answeredAt = this.#network.clock.now;
    this.send("pong");
  }

  /** By the server. */
  send(frame: string): void {
    if (!this.#isDeaf) this.#down.carry(() => this.#client?.heard(frame));
  }

  /** By the server. */
  close(code: number): void {
    if (this.#isDeaf) this.#network.clock.after(CLOSE_TIMEOUT_MS, () => this.#gone(CLOSE_LOST));
    else
      this.#down.carry(() => {
        this.closed(code);
        this.#gone(code);
      });
  }

  /** By the client, which hears nothing more. */
  hangUp(code: number): void {
    this.#client = null;
    this.#up.carry(() => this.#gone(code));
  }

  /** Both sides notice that the path is gone. */
  cut(): void {
    this.#isDeaf = true;
    this.#up.carry(() => this.#gone(CLOSE_LOST));
    this.closed(CLOSE_LOST);
  }

  /** Only the client notices; what it has sent may still arrive. */
  lose(): void {
    this.#isDeaf = true;
    this.closed(CLOSE_LOST);
  }

  /** Nobody notices, and nothing arrives before then. */
  stall(until: number): void {
    this.#up.hold(until);
    this.#down.hold(until);
  }

  closed(code: number): void {
    const client = this.#client;
    this.#client = null;
    client?.closed(code);
  }

  #gone(code: number): void {
    if (this.#server) this.#object.closed(this.#server, code);
  }
}

/** `cut`: both sides notice at once; `lost`: the server does not; `stalled`: neither does, and what was said comes later. */
export type Outage = "cut" | "lost" | "stalled";

/** A device's way to the network, with all its sockets. */
export class Radio {
  readonly #network: Network;
  readonly #links = new Set<Link>();
  readonly #waiting: (() => void)[] = [];
  #isUp = true;

  constructor(network: Network) {
    this.#network = network;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  dial(object: HostedObject, request: UpgradeRequest, client: ClientEnd): Link {
    const link = new Link(this.#network, object, client);
    this.#links.add(link);
    if (this.#isUp) link.open(request);
    else this.#network.clock.after(0, () => link.closed(CLOSE_LOST));
    return link;
  }

  /** What is tried meanwhile fails. */
  goes(outage: Outage, forMs: number): void {
    const { clock } = this.#network;
    const links = [...this.#links];
    if (outage === "stalled") for (const link of links) link.stall(clock.now + forMs);
    this.#isUp = false;
    this.#links.clear();
    if (outage === "cut") for (const link of links) link.cut();
    if (outage === "lost") for (const link of links) link.lose();
    clock.after(forMs, () => {
      this.#isUp = true;
      if (outage === "stalled") for (const link of links) this.#links.add(link);
      for (const resume of this.#waiting.splice(0)) resume();
    });
  }

  /** Now, or once the network is back. */
  whenUp(resume: () => void): void {
    if (this.#isUp) resume();
    else this.#waiting.push(resume);
  }
}
