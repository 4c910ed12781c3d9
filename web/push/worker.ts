import { errorCode, request, type SwitchboardErrorCode } from "../../client/index.ts";
import { CallResponse } from "../../schema/http.ts";
import { parseJson } from "../../schema/json.ts";
import { PushPayload, type RingPayload } from "../../schema/push.ts";
import {
  CallReference,
  noticeFor,
  notificationFor,
  ringMs,
  rings,
  type ShownNotification,
  type Standing,
} from "./notification.ts";
import type { Woken } from "./woken.ts";
import type { WindowClient, WorkerScope } from "./worker-scope.ts";

/** Rings while no window is open. Browsers wake it for each push. */

declare const self: WorkerScope;

/** A window that is there says so within this. */
const ANSWER_MS = 500;
/** Of a ring of 30 s. What the server has not said by then is asked again. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 2_000;
/** The server's last word; anything else may be different the next time. */
const REFUSALS: ReadonlySet<SwitchboardErrorCode> = new Set([
  "call_not_found",
  "not_found",
  "not_in_call",
  "forbidden",
  "unauthorized",
]);

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(pushed(event.data?.text() ?? "")));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const call = CallReference.safeParse(event.notification.data).data;
  event.waitUntil(pressed(event.action, call));
});

async function pushed(text: string): Promise<void> {
  const payload = PushPayload.safeParse(parseJson(text)).data;
  if (!payload) return;
  if (payload.type === "incoming_call") await ring(payload);
  else await notify(noticeFor(payload));
}

/** What the push says may be old by now: the server is asked. */
async function ring(payload: RingPayload): Promise<void> {
  const first = await look(payload);
  await notify(notificationFor(payload, first));
  const standing = first === "unknown" ? await confirmed(payload) : first;
  // It rings here: the caller may hear so.
  if (rings(standing)) await ask("POST", `${payload.callId}/alerting`, payload.callToken);
  else if (first === "unknown") await notify(notificationFor(payload, standing));
}

/** What the server says once it answers; as of a call that is gone where it does not before the ring is over. */
async function confirmed(payload: RingPayload): Promise<Standing> {
  const until = Date.now() + ringMs(payload);
  let standing: Standing = "unknown";
  while (standing === "unknown" && Date.now() < until) {
    await later(RETRY_MS);
    standing = await look(payload);
  }
  return standing === "unknown" ? "gone" : standing;
}

function look({ callId, callToken }: RingPayload): Promise<Standing> {
  return ask("GET", callId, callToken);
}

async function notify({ title, ...options }: ShownNotification): Promise<void> {
  await self.registration.showNotification(title, options);
}

async function pressed(action: string, call: CallReference | undefined): Promise<void> {
  if (!call) await self.clients.openWindow("/");
  else if (action === "decline") await ask("POST", `${call.callId}/decline`, call.callToken);
  else await show(call, action === "answer");
}

/** The call as it stands after that. */
async function ask(method: "GET" | "POST", path: string, token: string): Promise<Standing> {
  const server = { url: self.location.origin, platform: { fetch: (...of: Parameters<typeof fetch>) => fetch(...of) } };
  const init = { method, headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(PATIENCE_MS) };
  try {
    return (await request(server, `/api/calls/${path}`, CallResponse, init)).call;
  } catch (error) {
    return REFUSALS.has(errorCode(error)) ? "gone" : "unknown";
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** In a window of this user's that is open, or in a new one. */
async function show({ callId, userId, deviceId }: CallReference, answer: boolean): Promise<void> {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const asked = await Promise.all(windows.map((window) => takes(window, { callId, userId, answer: false })));
  const own = windows.find((_, i) => asked[i]);
  if (!own) {
    const query = new URLSearchParams({ as: userId, device: deviceId, call: callId, ...(answer && { answer: "yes" }) });
    await self.clients.openWindow(`/?${query}`);
    return;
  }
  if (answer) await takes(own, { callId, userId, answer });
  await own.focus();
}

function takes(window: WindowClient, message: Woken): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => resolve(true);
    setTimeout(() => resolve(false), ANSWER_MS);
    window.postMessage(message, [port2]);
  });
}
