import type * as z from "zod";
import type { ClientMessageInput, Register } from "../schema/client-messages.ts";
import { parseServerFrame, type ServerMessage, type ServerMessageOf } from "../schema/server-messages.ts";
import { nextRetryDelayMs } from "./backoff.ts";
import type { Platform } from "./platform.ts";

/** `waiting`: the connection broke and the next attempt is due; `closed`: there will be none. */
export type SocketStatus = "connecting" | "open" | "waiting" | "closed";
/** Why a socket stays closed: by this side, or because the server said so. */
export type CloseReason = "closed" | "replaced" | "removed";

export interface SocketOptions {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly register: () => Omit<z.input<typeof Register>, "type">;
  readonly platform: Pick<Platform, "WebSocket" | "random" | "now">;
  /**
   * @param isResumed whether this device had registered here before
   * @param token with which the socket was opened
   */
  readonly onRegistered: (message: ServerMessageOf<"registered">, isResumed: boolean, token: string) => void;
  readonly onMessage: (message: ServerMessage) => void;
  readonly onStatus?: (status: SocketStatus, reason?: CloseReason) => void;
}

const SUBPROTOCOL = "switchboard.v1";
/** A `pong` later than this belongs to a dead path. */
const PONG_MS = 10_000;
/** The same where the path is in doubt: somebody waits for what is to be said on it. */
const DOUBT_MS = 1_000;
/** From opening to `registered`. */
const REGISTER_MS = 10_000;
/** A connection that held this long was a good one: the back-off starts over. */
const GOOD_MS = 5_000;
/** More than a call's worth of candidates and reports; beyond it the oldest are of no use. */
const MAX_QUEUED = 100;

/** A WebSocket that registers its device, keeps itself alive and comes back by itself. */
export class ReconnectingSocket {
  readonly #options: SocketOptions;
  #socket: WebSocket | null = null;
  #status: SocketStatus = "closed";
  #attempt = 0;
  #wasRegistered = false;
  #openedAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #queue: ClientMessageInput[] = [];
  /** Who waits for a sign of the server. */
  #doubters: (() => void)[] = [];

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  get status(): SocketStatus {
    return this.#status;
  }

  open(): void {
    if (this.#status === "closed") void this.#connect();
  }

  /** Tries at once instead of when the back-off says: the network is back, or the page is. */
  wake(): void {
    if (this.#status === "open") this.#ping(PONG_MS);
    if (this.#status !== "waiting") return;
    clearTimeout(this.#retry);
    void this.#connect();
  }

  /**
   * Resolves when the server was heard from: on this connection within a second, else on one that takes its place.
   * @param hasMoved the device has another network: what was begun on the old one is not waited for
   */
  verify(hasMoved: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#doubters.push(resolve);
    if (this.#status === "connecting" && this.#socket && hasMoved) this.#lost();
    if (this.#status === "open") this.#ping(DOUBT_MS);
    else if (this.#status === "closed") this.#believed();
    else this.wake();
    return promise;
  }

  /** Sends now, or once the device is registered again. */
  send(message: ClientMessageInput): void {
    if (!this.trySend(message)) this.#queue = [...this.#queue, message].slice(-MAX_QUEUED);
  }

  /** @returns whether the socket was open; if not, nothing happens */
  trySend(message: ClientMessageInput): boolean {
    if (this.#status !== "open") return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    this.#stop();
    this.#queue = [];
    this.#become("closed", "closed");
  }

  async #connect(): Promise<void> {
    this.#become("connecting");
    const token = await this.#options.token().catch(() => null);
    if (this.#status !== "connecting") return;
    if (token === null) this.#retryLater();
    else this.#dial(token);
  }

  #dial(token: string): void {
    const socket = this.#make(token);
    if (!socket) {
      this.#retryLater();
      return;
    }
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "register", ...this.#options.register() }));
    socket.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data, token);
    socket.onclose = (event) => this.#closed(event.code);
    this.#deadline = setTimeout(() => this.#lost(), REGISTER_MS);
  }

  /** @returns null for what is no token: the app may have a better one the next time */
  #make(token: string): WebSocket | null {
    const { WebSocket } = this.#options.platform;
    try {
      // Browsers cannot set headers on a WebSocket: the token travels as a subprotocol.
      return new WebSocket(this.#options.url, [SUBPROTOCOL, `bearer.${token}`]);
    } catch {
      return null;
    }
  }

  #receive(frame: unknown, token: string): void {
    if (typeof frame !== "string") return;
    if (this.#status === "open") {
      clearTimeout(this.#deadline);
      this.#believed();
    }
    if (frame === "pong") return;
    const message = parseServerFrame(frame);
    if (message?.type === "registered") this.#registered(message, token);
    else if (message?.type === "error" && this.#status !== "open") this.#lost();
    else if (message) this.#options.onMessage(message);
  }

  #registered(message: ServerMessageOf<"registered">, token: string): void {
    clearTimeout(this.#deadline);
    this.#openedAt = this.#options.platform.now();
    this.#heartbeat = setInterval(() => this.#ping(PONG_MS), message.heartbeatMs);
    this.#become("open");
    const queued = this.#queue;
    this.#queue = [];
    for (const waiting of queued) this.send(waiting);
    const isResumed = this.#wasRegistered;
    this.#wasRegistered = true;
    this.#options.onRegistered(message, isResumed, token);
    this.#believed();
  }

  #ping(withinMs: number): void {
    this.#socket?.send("ping");
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(), withinMs);
  }

  #believed(): void {
    for (const resolve of this.#doubters.splice(0)) resolve();
  }

  #closed(code: number): void {
    const reason = finalReason(code);
    if (reason === null) {
      this.#lost();
      return;
    }
    this.#stop();
    this.#become("closed", reason);
  }

  #lost(): void {
    const held = this.#status === "open" && this.#options.platform.now() - this.#openedAt > GOOD_MS;
    if (held) this.#attempt = 0;
    this.#stop();
    this.#retryLater();
  }

  #retryLater(): void {
    const delay = nextRetryDelayMs(this.#attempt++, this.#options.platform.random());
    this.#retry = setTimeout(() => void this.#connect(), delay);
    this.#become("waiting");
  }

  /** The old socket is let go at once: on a dead path its close event may take minutes. */
  #stop(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    clearInterval(this.#heartbeat);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #become(status: SocketStatus, reason?: CloseReason): void {
    if (this.#status === status) return;
    this.#status = status;
    if (status === "closed") this.#believed();
    this.#options.onStatus?.(status, reason);
  }
}

/** The server's own close codes: after these, coming back would only throw somebody else out. */
function finalReason(code: number): CloseReason | null {
  if (code === 4000) return "replaced";
  if (code === 4001) return "removed";
  return null;
}
