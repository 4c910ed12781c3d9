import { DurableObject } from "cloudflare:workers";
import {
  type FleetMessage,
  type NodeStatus,
  type PushAnswer,
  type PushOrder,
  parseNodeFrame,
  Region,
} from "../../schema/fleet.ts";
import { Alarm } from "../alarm.ts";
import { log, short } from "../log.ts";
import { answerClose, close } from "../socket.ts";
import * as machine from "./fleet.ts";
import { type Placement, place, type Wanted } from "./placement.ts";
import { PushRelays } from "./push-relays.ts";

/** What hibernates with a registration socket; the sockets together are the whole state. */
interface FleetAttachment {
  readonly connectionId: string;
  readonly connection: machine.Connection | null;
}

/**
 * The SFU nodes of one region, named by it: the shell around `fleet.ts`. Nothing is stored but the
 * alarm, since a node that is not connected is no node.
 */
export class FleetObject extends DurableObject<Env> {
  #fleet: machine.Fleet;
  readonly #alarm: Alarm;
  readonly #relays = new PushRelays();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const connections = ctx.getWebSockets().flatMap((socket) => {
      const { connectionId, connection } = attachment(socket);
      return connection ? [[connectionId, connection] as const] : [];
    });
    this.#fleet = { ...machine.createFleet(Region.parse(ctx.id.name)), connections: Object.fromEntries(connections) };
    this.#alarm = new Alarm(ctx);
  }

  /** The nodes of this region whose lease runs. */
  async nodes(): Promise<NodeStatus[]> {
    return machine.nodes(this.#fleet, Date.now());
  }

  /** Chooses a node for a room and asks it to open it: it dials the call. @returns null without one that could */
  async place(wanted: Wanted): Promise<Placement> {
    const random = [Math.random(), Math.random()] as const;
    const chances = { random, joinsPerSecond: Number(this.env.SFU_JOINS_PER_SECOND) };
    const { placement, ...step } = place(this.#fleet, wanted, chances, Date.now());
    this.#take(step);
    return placement;
  }

  /** Has a node stop once its rooms have moved. @returns whether it is one of this region */
  async drain(nodeId: string): Promise<boolean> {
    const step = machine.drain(this.#fleet, nodeId, Date.now());
    if (step) this.#take(step);
    return step !== null;
  }

  /** Has a node take a push to APNs. @returns null without a node that does */
  async push(order: PushOrder): Promise<PushAnswer | null> {
    const relays = machine.relays(this.#fleet, Date.now());
    return this.#relays.send(relays, order, (connectionId, message) =>
      this.#perform({ type: "send", connectionId, message }),
    );
  }

  /** Takes an upgrade that `GET /sfu/nodes` has let through. */
  override async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    const connectionId = crypto.randomUUID();
    this.ctx.acceptWebSocket(server, [connectionId]);
    server.serializeAttachment({ connectionId, connection: null } satisfies FleetAttachment);
    this.#step({ type: "opened", connectionId });
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    const parsed = parseNodeFrame(frame);
    const { connectionId } = attachment(socket);
    if (!parsed.ok) send(socket, { type: "error", ...parsed.refusal });
    else if (parsed.message.type === "push_result") this.#relays.answered(connectionId, parsed.message);
    else this.#step({ type: "message", connectionId, message: parsed.message });
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    const { connectionId } = attachment(socket);
    this.#step({ type: "closed", connectionId });
    this.#relays.left(connectionId);
    answerClose(socket, code);
  }

  override alarm(): void {
    this.#alarm.fired();
    this.#step({ type: "time_passed" });
  }

  #step(event: machine.Event): void {
    this.#take(machine.step(this.#fleet, event, Date.now()));
  }

  #take({ state, commands }: machine.Step): void {
    const before = this.#fleet;
    this.#fleet = state;
    this.#attach(before, state);
    for (const command of commands) this.#perform(command);
    this.#alarm.arm(machine.nextDeadline(state));
    logChanges(before, state);
  }

  /** Keeps with each socket what an eviction would forget. */
  #attach(before: machine.Fleet, after: machine.Fleet): void {
    const ids = new Set([...Object.keys(before.connections), ...Object.keys(after.connections)]);
    for (const connectionId of ids) {
      const connection = after.connections[connectionId] ?? null;
      if (connection === before.connections[connectionId]) continue;
      const kept: FleetAttachment = { connectionId, connection };
      for (const socket of this.ctx.getWebSockets(connectionId)) socket.serializeAttachment(kept);
    }
  }

  #perform(command: machine.Command): void {
    for (const socket of this.ctx.getWebSockets(command.connectionId)) {
      switch (command.type) {
        case "send":
          send(socket, command.message);
          break;
        case "close":
          close(socket, command.code, command.reason);
          break;
      }
    }
  }
}

function attachment(socket: WebSocket): FleetAttachment {
  return socket.deserializeAttachment();
}

/** A socket may go at any moment; its node comes back by itself. */
function send(socket: WebSocket, message: FleetMessage): void {
  try {
    socket.send(JSON.stringify(message));
  } catch {
    // The peer has gone: its close event follows.
  }
}

function logChanges(before: machine.Fleet, after: machine.Fleet): void {
  const had = nodeIds(before);
  const has = nodeIds(after);
  for (const id of has) if (!had.has(id)) log("node_registered", { node: short(id), region: after.region });
  for (const id of had) if (!has.has(id)) log("node_left", { node: short(id), region: after.region });
}

function nodeIds(fleet: machine.Fleet): Set<string> {
  return new Set(Object.values(fleet.connections).flatMap(({ node }) => (node ? [node.nodeId] : [])));
}
