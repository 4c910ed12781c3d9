import * as z from "zod";
import type { CallEvent } from "../../../schema/ledger.ts";
import type { ServerMessage } from "../../../schema/server-messages.ts";
import { outcomeOf } from "../../../workers/ledger/outcome.ts";
import type { Belief } from "./bare-call.ts";
import type { BareDevice } from "./bare-device.ts";
import { type Cast, DEVICES } from "./cast.ts";

/** What must hold whatever the network does. Each returns what does not, in words. */

/** The call as its object sees it for one user. */
const View = z
  .object({
    state: z.enum(["reaching", "ringing", "connecting", "connected", "reconnecting", "ended"]),
    role: z.enum(["caller", "callee"]),
    callType: z.string(),
    caller: z.object({ deviceId: z.string() }),
    joined: z.array(z.string()),
    ringUntil: z.number(),
    people: z.array(z.object({ userId: z.string(), isHolding: z.boolean() })),
  })
  .nullable();
type View = z.infer<typeof View>;

/** A device that comes with less than this left is not rung. */
const LATE_RING_MS = 3_000;

/** What each device takes itself to be, and what the call's object says. */
export async function disagreements(cast: Cast): Promise<string[]> {
  const found: string[] = [];
  for (const callId of cast.world.callIds) {
    for (const name of DEVICES) {
      const device = cast.device(name);
      const view = View.parse(await cast.world.call(callId).call("look", [device.person.userId]));
      const is = device.belief(callId);
      const ought = device.isOnline ? expected(view, device, callId, cast.world.clock.now) : ["online"];
      if (!ought.some((belief) => belief === is)) found.push(`${name}: ${is} instead of ${ought}, ${cast.named(view)}`);
      if (view && isAboutHold(view, device) && heldInView(view, device) !== device.calls.get(callId)?.holds.peer)
        found.push(`${name}: held by the other one is ${!heldInView(view, device)}, ${cast.named(view)}`);
    }
  }
  return found;
}

function expected(view: View, device: BareDevice, callId: string, now: number): Belief[] {
  if (!view || view.state === "ended") return ["idle"];
  if (view.state !== "reaching" && view.state !== "ringing")
    return view.joined.includes(device.deviceId) ? ["talks"] : ["idle"];
  if (view.role === "caller") return view.caller.deviceId === device.deviceId ? ["calls"] : ["idle"];
  const phase = device.calls.get(callId)?.phase;
  const isSilenced = phase?.kind === "ended" && phase.ending.kind === "ignored";
  if (isSilenced) return ["idle"];
  // Who calls somebody is not rung by the same person, until that call is over.
  const isCalling = [...device.calls.values()].some(({ self, isOver }) => self.direction === "outgoing" && !isOver);
  if (isCalling) return ["rings", "idle"];
  return view.ringUntil - now < LATE_RING_MS ? ["rings", "idle"] : ["rings"];
}

function isAboutHold(view: NonNullable<View>, device: BareDevice): boolean {
  const isLive = view.state === "connected" || view.state === "connecting";
  return isLive && view.callType !== "group" && view.joined.includes(device.deviceId);
}

function heldInView(view: NonNullable<View>, device: BareDevice): boolean {
  return view.people.some(({ userId, isHolding }) => isHolding && userId !== device.person.userId);
}

/** The history, as the ledger has it: of each call the event with the highest revision. */
export function historyOf({ world }: Cast): CallEvent[] {
  return world.callIds.flatMap((callId) => {
    const told = world.told.filter((event) => event.callId === callId);
    const [last] = told.sort((a, b) => b.rev - a.rev);
    return last ? [last] : [];
  });
}

/** [LOG-2] [LOG-5] [LEDGER-1] What the ledger was told is whole, never changes, and says what the history says. */
export function untruths(cast: Cast): string[] {
  const wrong: string[] = [];
  for (const event of historyOf(cast)) {
    const of = cast.world.told.filter(({ callId }) => callId === event.callId);
    for (const other of of) {
      const isSame = other.rev !== event.rev || withoutLegs(other) === withoutLegs(event);
      if (!isSame) wrong.push(`two events of revision ${event.rev}: ${cast.named([event, other])}`);
      const entries = JSON.stringify(event.log.slice(0, other.log.length));
      if (JSON.stringify(other.log) !== entries) wrong.push(`an entry has changed: ${cast.named([event, other])}`);
    }
    wrong.push(...untold(cast, event));
  }
  return wrong;
}

/** Whom the call had reached by its end may only be known after it. */
function withoutLegs(event: CallEvent): string {
  return JSON.stringify(event, (key, value) => (key === "legs" ? undefined : value));
}

function untold(cast: Cast, event: CallEvent): string[] {
  const { outcome, connectedAt, endedAt, durationSeconds, answeredBy, log } = event;
  const wrong: string[] = [];
  if (log.some(({ rev }, i) => rev !== i + 1)) wrong.push(`a gap in the log: ${cast.named(log)}`);
  const result = outcomeOf(log);
  const [fromLog, said] = [
    { ...result, answeredBy: result.answeredBy?.deviceId ?? null },
    { outcome, answeredBy, connectedAt, endedAt, durationSeconds },
  ].map((each) => JSON.stringify(Object.entries(each).sort()));
  if (fromLog !== said) wrong.push(`the log says ${fromLog}, the history ${said}`);
  const isOver = cast.world.call(event.callId).stored("call");
  if (!isOver) wrong.push("the call has forgotten itself");
  return wrong;
}

/** [RES-2] A command that is sent again gets the same reply; what is over meanwhile may be said instead. */
export function otherReplies(cast: Cast): string[] {
  return DEVICES.flatMap((name) => {
    const first = new Map<string, string>();
    return cast.device(name).heard.flatMap((message) => {
      const re = "re" in message ? message.re : undefined;
      const reply = cast.named(essence(message));
      if (re === undefined || message.type === "call_ended" || isFailure(message)) return [];
      const before = first.get(re) ?? reply;
      first.set(re, before);
      return before === reply ? [] : [`${name}: ${before}, then ${reply}`];
    });
  });
}

/** The network between two objects: the command is to be sent again. */
function isFailure(message: ServerMessage): boolean {
  return message.type === "error" && message.code === "internal";
}

/** Without what may change between two replies to the same command. */
function essence(message: ServerMessage): unknown {
  switch (message.type) {
    case "call_connected":
    case "already_answered":
      return [message.type, message.callId, message.answeredBy];
    case "call_initiated":
      return [message.type, message.callId];
    case "error":
      return [message.type, message.code];
    default:
      return message.type;
  }
}

/** [CALL-7] Of a call between two everybody hears of the same winner, and history says the same. */
export function winners(cast: Cast): string[] {
  return historyOf(cast).flatMap((event) => {
    if (event.callType === "group") return [];
    const heard = DEVICES.flatMap((name) => cast.device(name).heard).flatMap((message) =>
      (message.type === "call_connected" || message.type === "already_answered") && message.callId === event.callId
        ? [message.answeredBy.deviceId]
        : [],
    );
    const all = new Set([...heard, ...(event.answeredBy === null ? [] : [event.answeredBy])]);
    return all.size > 1 ? [`${all.size} winners: ${cast.named([...all])}`] : [];
  });
}
