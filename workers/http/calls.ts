import type { Context } from "hono";
import type { InCallMessage } from "../../schema/client-messages.ts";
import { AnswerRequest, CallRequest, type CallResponse, DeclineRequest } from "../../schema/http.ts";
import { CallId, NIL } from "../../schema/ids.ts";
import { snapshotOf } from "../call/view.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, parse, parseOptionalBody } from "./errors.ts";

/**
 * What a ring screen says that has no socket: the same commands as over one, and the call as it stands in answer.
 * With a token of the call the device is known; else the body says which one it is.
 */

type CallContext = Context<Bindings>;

export async function getCall(context: CallContext): Promise<Response> {
  return answer(context, parse(CallId, context.req.param("id")));
}

export async function alertCall(context: CallContext): Promise<Response> {
  const { deviceId } = await parseOptionalBody(context, CallRequest);
  if (deviceId === undefined && context.var.grant === undefined) {
    throw new HttpRefusal("bad_message", "deviceId: says which device alerts");
  }
  return perform(context, deviceId, (callId) => ({ type: "call_alerting", callId }));
}

export async function answerCall(context: CallContext): Promise<Response> {
  const { deviceId, sdp } = await parseOptionalBody(context, AnswerRequest);
  if (deviceId === undefined && context.var.grant === undefined) {
    throw new HttpRefusal("bad_message", "deviceId: says which device answers");
  }
  return perform(context, deviceId, (callId) => ({ type: "call_answer", callId, ...(sdp !== undefined && { sdp }) }));
}

export async function declineCall(context: CallContext): Promise<Response> {
  const { deviceId, reason } = await parseOptionalBody(context, DeclineRequest);
  return perform(context, deviceId, (callId) => ({ type: "call_decline", callId, reason }));
}

/** Without a device it is the one that is in the call. */
export async function endCall(context: CallContext): Promise<Response> {
  const { deviceId } = await parseOptionalBody(context, CallRequest);
  return perform(context, deviceId ?? (await deviceInCall(context)), (callId) => ({ type: "call_end", callId }));
}

async function perform(
  context: CallContext,
  asked: string | undefined,
  messageOf: (callId: string) => InCallMessage,
): Promise<Response> {
  const callId = parse(CallId, context.req.param("id"));
  const { userId, name } = context.var.identity;
  const deviceId = context.var.grant?.deviceId ?? asked ?? NIL;
  const call = context.env.CALLS.getByName(callId);
  const replies = await call.command({ userId, deviceId, name: name ?? undefined }, messageOf(callId));
  for (const reply of replies) {
    if (reply.type === "error") throw new HttpRefusal(reply.code, reply.message);
    if (reply.type === "call_not_found") throw noSuchCall();
  }
  return answer(context, callId);
}

async function answer(context: CallContext, callId: string): Promise<Response> {
  const view = await context.env.CALLS.getByName(callId).look(context.var.identity.userId);
  if (!view) throw noSuchCall();
  const body: CallResponse = { call: snapshotOf(view, Date.now()) };
  return context.json(body);
}

async function deviceInCall(context: CallContext): Promise<string | undefined> {
  const callId = parse(CallId, context.req.param("id"));
  const view = await context.env.CALLS.getByName(callId).look(context.var.identity.userId);
  return view?.joined.at(-1);
}

function noSuchCall(): HttpRefusal {
  return new HttpRefusal("call_not_found", "no such call");
}
