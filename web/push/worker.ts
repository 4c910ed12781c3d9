import { request } from "../../client/index.ts";
import type { CallSnapshot } from "../../schema/call.ts";
import { CallResponse } from "../../schema/http.ts";
import { parseJson } from "../../schema/json.ts";
import { PushPayload } from "../../schema/push.ts";
import { CallReference, notificationFor } from "./notification.ts";
import type { Woken } from "./woken.ts";
import type { WindowClient, WorkerScope } from "./worker-scope.ts";

/** Rings while no window is open. Browsers wake it for each push. */

declare const self: WorkerScope;

/** A window that is there says so within this. */
const ANSWER_MS = 500;

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(pushed(event.data?.text() ?? "")));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const call = CallReference.safeParse(event.notification.data).data;
  event.waitUntil(pressed(event.action, call));
});

/** What the push says may be old by now: the server is asked before anything rings. */
async function pushed(text: string): Promise<void> {
  const payload = PushPayload.safeParse(parseJson(text)).data;
  if (!payload) return;
  const token = payload.type === "incoming_call" ? payload.callToken : null;
  const call = token === null ? null : await ask("GET", payload.callId, token);
  const { title, ...options } = notificationFor(payload, call);
  await self.registration.showNotification(title, options);
  // It rings here: the caller may hear so.
  if (token !== null && options.requireInteraction) await ask("POST", `${payload.callId}/alerting`, token);
}

async function pressed(action: string, call: CallReference | undefined): Promise<void> {
  if (!call) await self.clients.openWindow("/");
  else if (action === "decline") await ask("POST", `${call.callId}/decline`, call.callToken);
  else await show(call, action === "answer");
}

/** The call as it stands after that; null where the server cannot be reached, or does not know it. */
async function ask(method: "GET" | "POST", path: string, token: string): Promise<CallSnapshot | null> {
  const server = { url: self.location.origin, platform: { fetch: (...of: Parameters<typeof fetch>) => fetch(...of) } };
  const init = { method, headers: { authorization: `Bearer ${token}` } };
  const { call } = await request(server, `/api/calls/${path}`, CallResponse, init).catch(() => ({ call: null }));
  return call;
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
