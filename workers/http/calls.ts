import type { Context } from "hono";
import type { InCallMessage } from "../../schema/client-messages.ts";
import { AnswerRequest, CallRequest, type CallResponse, DeclineRequest } from "../../schema/http.ts";
import type { CallView } from "../call/state.ts";
import { snapshotOf } from "../call/view.ts";
import type { Answered } from "../rpc.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, parseOptionalBody, pathId } from "./errors.ts";

/**
 * What a ring screen says that has no socket: the same commands as over one, and the call as it stands in answer.
 * With a token of the call the device is known; else the body says which one it is.
 */

type CallContext = Context<Bindings>;

export async function getCall(context: CallContext): Promise<Response> {
  return show(context, await look(context));
}

export async function alertCall(context: CallContext): Promise<Response> {
  const { deviceId } = await parseOptionalBody(context, CallRequest);
  return ask(context, deviceId, { type: "call_alerting", callId: pathId(context) });
}

export async function answerCall(context: CallContext): Promise<Response> {
  const { deviceId, sdp } = await parseOptionalBody(context, AnswerRequest);
  return ask(context, deviceId, { type: "call_answer", callId: pathId(context), ...(sdp !== undefined && { sdp }) });
}

/** Without a device the user declines as a whole; silence and being busy are one device's. */
export async function declineCall(context: CallContext): Promise<Response> {
  const { deviceId = context.var.grant?.deviceId, reason } = await parseOptionalBody(context, DeclineRequest);
  if (deviceId === undefined && reason === "declined") return decline(context);
  return ask(context, deviceId, { type: "call_decline", callId: pathId(context), reason });
}

/** Without a device it is the one that is in the call; a user who is only rung declines. */
export async function endCall(context: CallContext): Promise<Response> {
  const { deviceId = context.var.grant?.deviceId } = await parseOptionalBody(context, CallRequest);
  const ending = deviceId ?? (await look(context))?.joined.at(-1);
  if (ending === undefined) return decline(context);
  return ask(context, ending, { type: "call_end", callId: pathId(context) });
}

/** @param said the device that the body names; a token of the call knows better */
async function ask(context: CallContext, said: string | undefined, message: InCallMessage): Promise<Response> {
  const { userId, name } = context.var.identity;
  const deviceId = context.var.grant?.deviceId ?? said;
  if (deviceId === undefined) throw new HttpRefusal("bad_message", "deviceId: says which device this is");
  return answer(context, await callOf(context).ask({ userId, deviceId, name: name ?? undefined }, message));
}

async function decline(context: CallContext): Promise<Response> {
  return answer(context, await callOf(context).decline(context.var.identity.userId));
}

function answer(context: CallContext, { refusal, view }: Answered): Response {
  if (refusal) throw new HttpRefusal(refusal.code, refusal.message);
  return show(context, view);
}

async function look(context: CallContext): Promise<CallView | null> {
  return callOf(context).look(context.var.identity.userId);
}

function show(context: CallContext, view: CallView | null): Response {
  if (!view) throw new HttpRefusal("call_not_found", "no such call");
  const body: CallResponse = { call: snapshotOf(view, Date.now()) };
  return context.json(body);
}

function callOf(context: CallContext) {
  return context.env.CALLS.getByName(pathId(context));
}
