import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import {
  type FleetMessage,
  MAX_NODE_FRAME,
  type NodeHeartbeat,
  type NodeMessage,
  type NodeRegister,
  type PushAnswer,
  type PushSend,
  parseFleetFrame,
  type RoomOpen,
} from "../schema/fleet.ts";
import { type Log, problem, short } from "./log.ts";
import * as policy from "./registration-policy.ts";

/** How long the edge has to answer a close. */
const CLOSE_MS = 1_000;

export interface RegistrationOptions {
  readonly edgeUrl: URL;
  readonly nodeKey: string;
  readonly node: NodeRegister;
  /** What the next heartbeat says. */
  readonly measure: () => Promise<Omit<NodeHeartbeat, "type">>;
  /** Takes a push to APNs; without it the node is no relay. */
  readonly relay?: (order: PushSend) => Promise<PushAnswer>;
  /** The fleet has placed a room here. */
  readonly onRoom: (room: RoomOpen) => void;
  /** The operator wants the node to stop. */
  readonly onDrain: () => void;
  readonly log: Log;
}

/** Keeps a node registered with the fleet of its region: the shell around `registration-policy.ts`. */
export class RegistrationSocket {
  readonly #options: RegistrationOptions;
  readonly #url: URL;
  #state: policy.Registration = { phase: "stopped" };
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#url = registrationUrl(options.edgeUrl, options.node.region);
  }

  get isRegistered(): boolean {
    return this.#state.phase === "registered";
  }

  start(): void {
    this.#take(policy.start(performance.now()));
  }

  /** Reports the load now instead of at the next heartbeat. */
  reportNow(): void {
    this.#step({ type: "load_changed" });
  }

  /** Leaves the fleet; returns when the edge knows, or after a second. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#step({ type: "stop" });
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await Promise.race([closed, delay(CLOSE_MS, undefined, { ref: false })]);
    socket.terminate();
  }

  #step(event: policy.Event): void {
    this.#take(policy.step(this.#state, event, performance.now()));
  }

  #take({ state, commands }: policy.Step): void {
    const before = this.#state;
    this.#state = state;
    this.#logChange(before, state);
    for (const command of commands) this.#perform(command);
    this.#arm();
  }

  #perform(command: policy.Command): void {
    switch (command) {
      case "dial":
        this.#socket = this.#dial();
        break;
      case "register":
        this.#send(this.#options.node);
        break;
      case "heartbeat":
        void this.#heartbeat();
        break;
      case "hang_up":
        this.#socket?.close(1000);
        this.#socket = null;
        break;
    }
  }

  #dial(): WebSocket {
    const socket = new WebSocket(this.#url, {
      headers: { authorization: `Bearer ${this.#options.nodeKey}` },
      handshakeTimeout: policy.REGISTER_MS,
      maxPayload: MAX_NODE_FRAME,
      perMessageDeflate: false,
    });
    // What a socket says that was given up concerns nobody.
    const isCurrent = () => this.#socket === socket;
    socket.on("open", () => isCurrent() && this.#step({ type: "opened" }));
    socket.on("message", (data) => isCurrent() && this.#hear(String(data)));
    socket.on("error", (error) => isCurrent() && this.#options.log("sfu_socket_failed", { problem: problem(error) }));
    socket.on("close", () => {
      if (!isCurrent()) return;
      this.#socket = null;
      this.#step({ type: "closed", jitter: Math.random() });
    });
    return socket;
  }

  #hear(frame: string): void {
    const message: FleetMessage | undefined = parseFleetFrame(frame);
    if (!message) return;
    if (message.type === "push_send") {
      void this.#relay(message);
      return;
    }
    if (message.type === "room_open") {
      this.#options.onRoom(message);
      return;
    }
    if (message.type === "node_drain") {
      this.#options.onDrain();
      return;
    }
    if (message.type === "error") this.#options.log("sfu_refused", { code: message.code, problem: message.message });
    this.#step({ type: "heard", message, jitter: Math.random() });
  }

  async #heartbeat(): Promise<void> {
    const socket = this.#socket;
    const report = await this.#options.measure();
    if (socket === this.#socket) this.#send({ type: "node_heartbeat", ...report });
  }

  async #relay(order: PushSend): Promise<void> {
    const socket = this.#socket;
    const answer = await this.#options.relay?.(order);
    if (answer && socket === this.#socket) this.#send({ type: "push_result", id: order.id, ...answer });
  }

  #send(message: NodeMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const deadline = policy.nextDeadline(this.#state);
    if (deadline === null) return;
    const wait = Math.max(0, Math.ceil(deadline - performance.now()));
    this.#timer = setTimeout(() => this.#step({ type: "time_passed", jitter: Math.random() }), wait);
  }

  #logChange(before: policy.Registration, after: policy.Registration): void {
    const { log, node } = this.#options;
    if (before.phase !== "registered" && after.phase === "registered") {
      log("sfu_registered", { node: short(node.nodeId), region: node.region, workers: node.capacity.workers });
    }
    if (before.phase === "registered" && after.phase === "waiting") {
      log("sfu_disconnected", { node: short(node.nodeId), retryMs: Math.round(after.deadline - performance.now()) });
    }
  }
}

function registrationUrl(edgeUrl: URL, region: string): URL {
  const url = new URL("/sfu/nodes", edgeUrl);
  url.protocol = url.protocol.replace(/^http/, "ws");
  url.searchParams.set("region", region);
  return url;
}
