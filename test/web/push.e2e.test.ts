import type { BrowserContext, Page, Worker } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inspect } from "../support/browser.ts";
import { WebPushGateway } from "../support/push-web.ts";
import { connected, Windows } from "../support/windows.ts";

/**
 * The browser itself cannot be subscribed here, for its push service is Google's: the page is given a subscription of
 * a gateway on this machine, and what that receives is handed to the browser, which wakes the service worker with it.
 */
const windows = new Windows("Ford");
const { newProfile, openWindow, names } = windows;
let gateway: WebPushGateway;
beforeAll(async () => {
  gateway = await WebPushGateway.start();
  await windows.open(gateway.vars, { isWhole: true });
});
afterEach(() => windows.closeProfiles());
afterAll(async () => {
  await windows.close();
  await gateway.close();
});

/** The worker asks again after 2 s; a whole browser on a busy machine takes its time to wake it. */
/** A browser that allows notifications, with a push subscription that leads to the gateway. */
async function subscribable(): Promise<{ profile: BrowserContext; subscriptionId: string }> {
  const profile = await newProfile();
  await profile.grantPermissions(["notifications"], { origin: windows.url });
  const { id, token } = gateway.subscribe();
  await profile.addInitScript((subscription) => {
    const key = "subscribed by the test";
    PushManager.prototype.subscribe = async () => {
      localStorage.setItem(key, "yes");
      return JSON.parse(subscription);
    };
    PushManager.prototype.getSubscription = async () => localStorage.getItem(key) && JSON.parse(subscription);
  }, token);
  return { profile, subscriptionId: id };
}

/** A window of such a browser, whose user has just allowed it. */
async function subscribed(name: string) {
  const { profile, subscriptionId } = await subscribable();
  const page = await openWindow(profile, name);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("On, with notifications of this browser.").waitFor();
  return { profile, subscriptionId, bob: page };
}

/** A browser that was told to ring while its page is closed, and whose page is closed. */
async function closedPage() {
  const { ada: adaName, bob: bobName } = await names();
  const [{ profile, subscriptionId, bob }, ada] = await Promise.all([
    subscribed(bobName),
    newProfile().then((profile) => openWindow(profile, adaName)),
  ]);
  const blank = await profile.newPage();
  await bob.close();
  const next = async () => (await gateway.next((push) => push.subscriptionId === subscriptionId)).payload;
  return { profile, blank, ada, adaName, bobName, next };
}

/** What a push service does once it has decrypted: the browser wakes the worker. */
async function deliver(page: Page, payload: object): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const registration = new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const own = registrations.find(({ scopeURL }) => scopeURL.startsWith(windows.url));
      if (own) resolve(own.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  const registrationId = await registration;
  const data = JSON.stringify(payload);
  await session.send("ServiceWorker.deliverPushMessage", { origin: windows.url, registrationId, data });
}

function worker(profile: BrowserContext): Worker {
  const [found] = profile.serviceWorkers();
  if (!found) throw new Error("there is no service worker");
  return found;
}

async function shown(profile: BrowserContext) {
  return worker(profile).evaluate(async () => {
    const scope: { registration: ServiceWorkerRegistration } = Object(globalThis);
    const notifications = await scope.registration.getNotifications();
    return notifications.map(({ title, body, tag }) => ({ title, body, tag }));
  });
}

/** The worker has no network. @returns what gives it back */
async function cut(profile: BrowserContext): Promise<() => Promise<void>> {
  await worker(profile).evaluate(() => {
    Object.assign(globalThis, { networkFetch: fetch, fetch: () => Promise.reject(new TypeError("cut by the test")) });
  });
  return () =>
    worker(profile).evaluate(() => void Object.assign(globalThis, { fetch: Object(globalThis).networkFetch }));
}

/** As the browser does it when a button of the only notification is pressed. */
async function press(profile: BrowserContext, action: "answer" | "decline"): Promise<void> {
  await worker(profile).evaluate(async (action) => {
    const scope: { registration: ServiceWorkerRegistration; NotificationEvent: new (...of: unknown[]) => Event } =
      Object(globalThis);
    const [notification] = await scope.registration.getNotifications();
    dispatchEvent(new scope.NotificationEvent("notificationclick", { notification, action }));
  }, action);
}

describe("while no window is open", () => {
  test("[PUSH-3] the service worker rings once the server says that it still rings, and the caller hears it", async () => {
    const { profile, blank, ada, adaName, bobName, next } = await closedPage();
    await ada.getByRole("button", { name: `Video call with ${bobName}` }).click();
    const payload = await next();
    expect(payload).toMatchObject({ type: "incoming_call", caller: { name: adaName } });
    await ada.getByText("Reaching…").waitFor();
    await deliver(blank, payload);
    await ada.getByText("Ringing…").waitFor();
    const ring = { title: adaName, body: "Video call for you", tag: payload.callId };
    expect(await shown(profile)).toEqual([ring]);

    await press(profile, "decline");
    await ada.getByText(`${bobName} declined`).waitFor();
    expect(await shown(profile)).toEqual([]);
  });

  test("[PUSH-4] it rings while the server cannot be reached, and the caller hears so once it can", async () => {
    const { profile, blank, ada, adaName, bobName, next } = await closedPage();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    const payload = await next();
    const mend = await cut(profile);
    await deliver(blank, payload);
    await expect
      .poll(() => shown(profile))
      .toEqual([{ title: adaName, body: "Voice call for you", tag: payload.callId }]);
    expect(await ada.getByText("Reaching…").count()).toBe(1);
    await mend();
    await ada.getByText("Ringing…").waitFor();
    await ada.getByRole("button", { name: "Cancel call" }).click();
  });

  test("[PUSH-4] a ring that the server never confirms becomes a missed call when it would be over", async () => {
    const { profile, blank, ada, adaName, bobName, next } = await closedPage();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    const payload = await next();
    if (payload.type !== "incoming_call") throw new Error("no ring");
    await cut(profile);
    const expiresAt = new Date(Date.parse(payload.sentAt) + 1_000).toISOString();
    await deliver(blank, { ...payload, expiresAt });
    await expect.poll(() => shown(profile)).toEqual([{ title: adaName, body: "Missed call", tag: payload.callId }]);
    await ada.getByRole("button", { name: "Cancel call" }).click();
  });

  test("a push that comes when the ringing is over becomes a missed call, and so does one that rang", async () => {
    const { profile, blank, ada, adaName, bobName, next } = await closedPage();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    const first = await next();
    await ada.getByRole("button", { name: "Cancel call" }).click();
    await ada.getByText("Call cancelled").waitFor();
    await deliver(blank, first);
    const missed = { title: adaName, body: "Missed call", tag: first.callId };
    await expect.poll(() => shown(profile)).toEqual([missed]);
    await next();

    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    const second = await next();
    await deliver(blank, second);
    await ada.getByText("Ringing…").waitFor();
    await ada.getByRole("button", { name: "Cancel call" }).click();
    const notice = await next();
    expect(notice).toMatchObject({ type: "missed_call", callId: second.callId });
    await deliver(blank, notice);
    await expect.poll(() => shown(profile)).toContainEqual({ ...missed, tag: second.callId });
  });

  test("[CONN-5] a window that is opened to answer is the device that was pushed, and answers by itself", async () => {
    const { profile, blank, ada, bobName, next } = await closedPage();
    await ada.getByRole("button", { name: `Video call with ${bobName}` }).click();
    const payload = await next();
    await deliver(blank, payload);
    await ada.getByText("Ringing…").waitFor();
    const opened = await worker(profile).evaluate(async () => {
      const scope: { registration: ServiceWorkerRegistration } = Object(globalThis);
      const [notification] = await scope.registration.getNotifications();
      const { userId, deviceId, callId } = notification?.data ?? {};
      return new URLSearchParams({ as: userId, device: deviceId, call: callId, answer: "yes" }).toString();
    });
    const bob = await windows.newWindow(profile);
    await bob.goto(`${windows.url}/?${opened}`);
    await connected(ada, bob);
    const session = await bob.evaluate(() => sessionStorage.getItem("switchboard.session"));
    expect(session).toContain(new URLSearchParams(opened).get("device"));
    await ada.getByRole("button", { name: "Hang up" }).click();
    await bob.getByText(/^Call ended after/).waitFor();
  });
});

test("a window that is open is asked before another is opened, and answers", async () => {
  const { ada: adaName, bob: bobName } = await names();
  const { profile, subscriptionId, bob } = await subscribed(bobName);
  await inspect(bob, "settings-push");
  await bob.keyboard.press("Escape");
  // Frozen, as far as the server can tell: it says nothing when it is rung.
  await bob.evaluate(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (frame) {
      if (!String(frame).includes('"call_alerting"')) send.call(this, frame);
    };
  });
  const ada = await openWindow(await newProfile(), adaName);
  await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
  const { payload } = await gateway.next((push) => push.subscriptionId === subscriptionId);
  await deliver(bob, payload);
  await ada.getByText("Ringing…").waitFor();
  await press(profile, "answer");
  await connected(ada, bob);
  await ada.getByRole("button", { name: "Hang up" }).click();
  await bob.getByText(/^Call ended after/).waitFor();
});
