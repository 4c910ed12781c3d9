import type { Context } from "hono";
import { DeviceRequest, SettingsRequest } from "../../schema/http.ts";
import { PushToken } from "../../schema/push-token.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, parseBody, pathId } from "./errors.ts";

/** Whom a user lets through, and which of their devices are rung and pushed. */

type PrivacyContext = Context<Bindings>;

export async function blocks(context: PrivacyContext): Promise<Response> {
  return context.json(await me(context).blocks());
}

export async function block(context: PrivacyContext): Promise<Response> {
  return change(context, "block");
}

export async function unblock(context: PrivacyContext): Promise<Response> {
  return change(context, "unblock");
}

export async function addContact(context: PrivacyContext): Promise<Response> {
  return change(context, "add_contact");
}

export async function removeContact(context: PrivacyContext): Promise<Response> {
  return change(context, "remove_contact");
}

export async function settings(context: PrivacyContext): Promise<Response> {
  return context.json(await me(context).settings());
}

export async function putSettings(context: PrivacyContext): Promise<Response> {
  const { ringFrom, relayOnly } = await parseBody(context, SettingsRequest);
  if (ringFrom !== undefined) await me(context).changeSettings({ type: "ring_from", ringFrom });
  if (relayOnly !== undefined) await me(context).changeSettings({ type: "relay_only", relayOnly });
  return context.json(await me(context).settings());
}

export async function putDevice(context: PrivacyContext): Promise<Response> {
  const deviceId = pathId(context);
  const { doNotDisturb } = await parseBody(context, DeviceRequest);
  return found(context, await me(context).setDoNotDisturb(deviceId, doNotDisturb));
}

export async function putPushToken(context: PrivacyContext): Promise<Response> {
  const deviceId = pathId(context);
  const push = await parseBody(context, PushToken);
  return found(context, await me(context).setPushToken(deviceId, push));
}

function me(context: PrivacyContext) {
  return context.env.USERS.getByName(context.var.identity.userId);
}

async function change(
  context: PrivacyContext,
  type: "block" | "unblock" | "add_contact" | "remove_contact",
): Promise<Response> {
  const userId = pathId(context);
  if (userId === context.var.identity.userId) throw new HttpRefusal("bad_message", "userId: somebody else is needed");
  const isDone = await me(context).changeSettings({ type, userId });
  if (!isDone) throw new HttpRefusal("forbidden", "the list is full");
  return context.body(null, 204);
}

function found(context: PrivacyContext, isFound: boolean): Response {
  if (!isFound) throw new HttpRefusal("not_found", "no such device");
  return context.body(null, 204);
}
