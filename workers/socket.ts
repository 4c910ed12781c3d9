import * as z from "zod";
import type { CallSnapshot } from "../schema/call.ts";
import type { Refusal } from "../schema/errors.ts";
import { DeviceId, type DeviceRef, UserId } from "../schema/ids.ts";
import { HEARTBEAT_MS } from "../schema/limits.ts";
import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";

/** Who stands behind a request, as the Worker found in its token. Objects never see the token. */
export const Identity = z.object({
  userId: UserId,
  name: z.string().nullable(),
  avatarUrl: z.string().nullable(),
  /** Of the token, in Unix ms. */
  expiresAt: z.number(),
  /** Of a token that is good for one device alone. */
  deviceId: DeviceId.optional(),
});
export type Identity = z.infer<typeof Identity>;

const IDENTITY_HEADER = "x-switchboard-identity";

/** A request for an object: nothing of the client's own headers passes. */
export function upgradeRequest(url: string, identity: Identity): Request {
  return new Request(url, { headers: { upgrade: "websocket", [IDENTITY_HEADER]: JSON.stringify(identity) } });
}

export function identityOf(request: Request): Identity {
  return Identity.parse(JSON.parse(request.headers.get(IDENTITY_HEADER) ?? "null"));
}

/** Closed because the same device has opened a newer socket. */
export const CLOSE_REPLACED = 4000;
/** Closed because the user has removed the device. */
export const CLOSE_REMOVED = 4001;
/** Closed because the token that opened it has expired and was not renewed. */
export const CLOSE_EXPIRED = 4002;

/** Closed because it has not said which device it is. */
export const CLOSE_UNREGISTERED = 4003;
/** Closed because the device has left an offer of its room unanswered. */
export const CLOSE_SILENT = 4004;

/** A socket may go at any moment; what could not be sent is found again by state. */
export function send(socket: WebSocket, messages: readonly ServerMessage[]): void {
  try {
    for (const message of messages) socket.send(JSON.stringify(message));
  } catch {
    // The peer has gone: its close event follows.
  }
}

export function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It was closed already.
  }
}

/** Completes a close that the peer began; 1005 and 1006 say that it gave no code, and may not be sent (RFC 6455, section 7.4.1). */
export function answerClose(socket: WebSocket, code: number): void {
  close(socket, code === 1005 || code === 1006 ? 1000 : code, "");
}

export function errorMessage(refusal: Refusal, re: string | undefined, callId?: string): ServerMessageOf<"error"> {
  return { type: "error", ...(re !== undefined && { re }), ...(callId !== undefined && { callId }), ...refusal };
}

export const REGISTER_FIRST: Refusal = { code: "forbidden", message: "register first: say which device this is" };

/** @param seq on a user socket the cursor that the device may come back with; on a call socket the rev of the call */
export function registered(
  device: DeviceRef,
  re: string | undefined,
  seq: number,
  calls: CallSnapshot[],
): ServerMessageOf<"registered"> {
  return { type: "registered", ...(re !== undefined && { re }), ...device, seq, heartbeatMs: HEARTBEAT_MS, calls };
}

/** The time of the last sign of life of a hibernating socket, in Unix ms: its last answered `ping`. */
export function lastPing(ctx: DurableObjectState, socket: WebSocket): number {
  return ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
}
