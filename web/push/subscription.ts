import type { Api } from "../../client/index.ts";

const WORKER = "/push-worker.js";

export const canPush = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** Whether the user has allowed it before, in this browser. */
export async function isSubscribed(): Promise<boolean> {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return Notification.permission === "granted" && (await registration?.pushManager.getSubscription()) != null;
}

/**
 * Asks for permission where that was not done yet, and tells the server how to push to this device.
 * @throws where the browser's push service cannot be reached, or the server
 */
export async function subscribe(api: Api, deviceId: string, vapidKey: string): Promise<"on" | "off" | "denied"> {
  const permission = await Notification.requestPermission();
  if (permission !== "granted") return permission === "denied" ? "denied" : "off";
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: vapidKey });
  await api.setPushToken(deviceId, { provider: "webpush", token: JSON.stringify(subscription) });
  return "on";
}
