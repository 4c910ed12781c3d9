import type { FleetMessage, NodeDrain, PushSend, RoomOpen } from "../schema/fleet.ts";
import { retryDelayMs } from "./backoff.ts";

/**
 * When an SFU node dials its edge, registers, heartbeats, and gives a socket up. Pure: time is an
 * argument in ms of any one clock, and so is the jitter (0 to 1).
 */

export type Registration =
  | { readonly phase: "dialing"; readonly failures: number; readonly deadline: number }
  | { readonly phase: "registering"; readonly failures: number; readonly deadline: number }
  | {
      readonly phase: "registered";
      readonly heartbeatMs: number;
      readonly heartbeatAt: number;
      readonly leaseUntil: number;
    }
  | { readonly phase: "waiting"; readonly failures: number; readonly deadline: number }
  | { readonly phase: "stopped" };

/** What the fleet says of the registration itself. */
export type FleetReply = Exclude<FleetMessage, NodeDrain | PushSend | RoomOpen>;

export type Event =
  | { readonly type: "opened" }
  | { readonly type: "heard"; readonly message: FleetReply; readonly jitter: number }
  | { readonly type: "closed"; readonly jitter: number }
  /** The node's load is not what it last reported, by more than can wait. */
  | { readonly type: "load_changed" }
  | { readonly type: "time_passed"; readonly jitter: number }
  | { readonly type: "stop" };

/** `hang_up`: the socket is given up; nothing of it is heard any more. */
export type Command = "dial" | "register" | "heartbeat" | "hang_up";

export interface Step {
  readonly state: Registration;
  readonly commands: readonly Command[];
}

/** From dialing to `node_registered`, in ms. Longer waits for an edge that does not answer. */
export const REGISTER_MS = 10_000;

export function start(now: number): Step {
  return dial(0, now);
}

export function step(state: Registration, event: Event, now: number): Step {
  if (state.phase === "stopped") return { state, commands: [] };
  switch (event.type) {
    case "opened":
      return state.phase === "dialing"
        ? { state: { ...state, phase: "registering" }, commands: ["register"] }
        : { state, commands: [] };
    case "heard":
      return hear(state, event.message, event.jitter, now);
    case "closed":
      return state.phase === "waiting" ? { state, commands: [] } : retry(state, event.jitter, now, []);
    case "load_changed":
      return state.phase === "registered" ? heartbeat(state, now) : { state, commands: [] };
    case "time_passed":
      return pass(state, event.jitter, now);
    case "stop":
      return { state: { phase: "stopped" }, commands: ["hang_up"] };
  }
}

/** When `time_passed` is due; null when nothing is waited for. */
export function nextDeadline(state: Registration): number | null {
  switch (state.phase) {
    case "dialing":
    case "registering":
    case "waiting":
      return state.deadline;
    case "registered":
      return Math.min(state.heartbeatAt, state.leaseUntil);
    case "stopped":
      return null;
  }
}

type Running = Exclude<Registration, { phase: "stopped" }>;

function hear(state: Running, message: FleetReply, jitter: number, now: number): Step {
  switch (message.type) {
    case "node_registered": {
      if (state.phase !== "registering") return { state, commands: [] };
      const { heartbeatMs, leaseMs } = message;
      // The first heartbeat goes out at once: until then nobody knows the node's load.
      return heartbeat({ phase: "registered", heartbeatMs, heartbeatAt: now, leaseUntil: now + leaseMs }, now);
    }
    case "node_lease":
      return state.phase === "registered"
        ? { state: { ...state, leaseUntil: now + message.leaseMs }, commands: [] }
        : { state, commands: [] };
    case "error":
      return state.phase === "registering" ? retry(state, jitter, now, ["hang_up"]) : { state, commands: [] };
  }
}

function pass(state: Running, jitter: number, now: number): Step {
  switch (state.phase) {
    case "dialing":
    case "registering":
      return now < state.deadline ? { state, commands: [] } : retry(state, jitter, now, ["hang_up"]);
    case "waiting":
      return now < state.deadline ? { state, commands: [] } : dial(state.failures, now);
    case "registered":
      if (now >= state.leaseUntil) return retry(state, jitter, now, ["hang_up"]);
      return now < state.heartbeatAt ? { state, commands: [] } : heartbeat(state, now);
  }
}

function dial(failures: number, now: number): Step {
  return { state: { phase: "dialing", failures, deadline: now + REGISTER_MS }, commands: ["dial"] };
}

function heartbeat(state: Extract<Registration, { phase: "registered" }>, now: number): Step {
  return { state: { ...state, heartbeatAt: now + state.heartbeatMs }, commands: ["heartbeat"] };
}

/** A registration that held makes the next try the first one again. */
function retry(state: Running, jitter: number, now: number, commands: readonly Command[]): Step {
  const before = state.phase === "registered" ? 0 : state.failures;
  const deadline = now + retryDelayMs(before, jitter);
  return { state: { phase: "waiting", failures: before + 1, deadline }, commands };
}
