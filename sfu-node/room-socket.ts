import { WebSocket } from "ws";
import { MAX_FRAME } from "../schema/limits.ts";
import { CLOSE_ROOM_OVER, CLOSE_STALE_EPOCH, type FromNode, parseToNode, type ToNode } from "../schema/room-socket.ts";
import { retryDelayMs } from "./backoff.ts";
import { type Log, problem, short } from "./log.ts";

export interface RoomSocketOptions {
  readonly edgeUrl: URL;
  readonly nodeKey: string;
  readonly nodeId: string;
  readonly callId: string;
  readonly epoch: number;
  readonly log: Log;
  readonly onMessage: (message: ToNode) => void;
  /** The socket is up again: what the edge kept with the last one is gone. */
  readonly onAgain: () => void;
  /** The room is over, or is another node's: the edge has said so, or has been away for too long. */
  readonly onOver: () => void;
}

const HANDSHAKE_MS = 5_000;
/** An edge that is away for longer has moved its rooms. */
const GIVE_UP_MS = 30_000;
/** How often the edge is asked whether it is there. A network that was cut closes nothing, and the room would stay. */
const PING_MS = 10_000;
/** HTTP statuses with which an edge says that it knows no such room. */
const NO_SUCH_ROOM: ReadonlySet<number> = new Set([401, 404, 409]);

/** The socket between a room on this node and its call: dialled again when the edge was redeployed, with the same epoch. */
export class RoomSocket {
  readonly #options: RoomSocketOptions;
  readonly #url: URL;
  #socket: WebSocket | null = null;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #failures = 0;
  #awaySince = performance.now();
  #wasOpen = false;
  #isOver = false;

  constructor(options: RoomSocketOptions) {
    this.#options = options;
    this.#url = roomUrl(options);
    this.#dial();
  }

  /** What cannot be sent now waits for the next socket: the room has changed all the same. */
  send(message: FromNode): void {
    const frame = JSON.stringify(message);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame);
    else if (!this.#isOver) this.#waiting.push(frame);
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#pinging);
    this.#socket?.close(1000);
  }

  #dial(): void {
    const socket = new WebSocket(this.#url, {
      headers: { authorization: `Bearer ${this.#options.nodeKey}` },
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_FRAME * 4,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on("open", () => this.#opened(socket));
    socket.on("message", (data) => {
      const message = parseToNode(String(data));
      if (message) this.#options.onMessage(message);
    });
    socket.on("unexpected-response", (_request, response) => {
      if (NO_SUCH_ROOM.has(response.statusCode ?? 0)) this.#end();
      socket.terminate();
    });
    socket.on("error", (error) =>
      this.#options.log("room_socket_failed", { ...this.#about(), problem: problem(error) }),
    );
    socket.on("close", (code) => this.#closed(code));
  }

  #opened(socket: WebSocket): void {
    this.#failures = 0;
    if (this.#wasOpen) this.#options.onAgain();
    this.#wasOpen = true;
    for (const frame of this.#waiting.splice(0)) socket.send(frame);
    this.#ping(socket);
  }

  /** RFC 6455, section 5.5.2: the edge answers without waking the call's object. */
  #ping(socket: WebSocket): void {
    let isAnswered = true;
    socket.on("pong", () => {
      isAnswered = true;
    });
    this.#pinging = setInterval(() => {
      if (!isAnswered) socket.terminate();
      isAnswered = false;
      socket.ping();
    }, PING_MS);
  }

  #closed(code: number): void {
    clearInterval(this.#pinging);
    if (this.#isOver) return;
    if (this.#failures === 0) this.#awaySince = performance.now();
    const isGivenUp = performance.now() - this.#awaySince > GIVE_UP_MS;
    if (isGivenUp || code === CLOSE_STALE_EPOCH || code === CLOSE_ROOM_OVER) this.#end();
    else {
      this.#timer = setTimeout(() => this.#dial(), retryDelayMs(this.#failures, Math.random()) / 4);
      this.#failures += 1;
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onOver();
  }

  #about(): { call: string; epoch: number } {
    return { call: short(this.#options.callId), epoch: this.#options.epoch };
  }
}

function roomUrl({ edgeUrl, callId, epoch, nodeId }: RoomSocketOptions): URL {
  const url = new URL(`/sfu/rooms/${callId}`, edgeUrl);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("epoch", String(epoch));
  url.searchParams.set("nodeId", nodeId);
  return url;
}
