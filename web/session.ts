import * as z from "zod";
import { browserPlatform, request } from "../client/index.ts";
import { DevTokenResponse, DisplayName } from "../schema/http.ts";
import { DeviceId, UserId } from "../schema/ids.ts";
import { parseJson } from "../schema/json.ts";

/** Who this window is. Each window is a device of its own, so that one browser can be several. */

const Account = z.object({ userId: UserId, name: DisplayName });
export type Account = z.infer<typeof Account>;

const Session = Account.extend({ deviceId: DeviceId });
export type Session = z.infer<typeof Session>;

/** Of this window alone: survives a reload. */
const SESSION_KEY = "switchboard.session";
/** Of the browser: who has been here, the latest first. */
const ACCOUNTS_KEY = "switchboard.accounts";
const MAX_ACCOUNTS = 5;
/** A token is made anew well before it runs out. */
const TOKEN_LIFE_MS = 3_600_000;

export function knownAccounts(): Account[] {
  return read(localStorage, ACCOUNTS_KEY, z.array(Account)) ?? [];
}

/**
 * The window's session from before a reload. A duplicated tab inherits it, but is another device:
 * the lock tells the two apart.
 */
export async function restoreSession(): Promise<Session | null> {
  const stored = read(sessionStorage, SESSION_KEY, Session);
  if (!stored) return null;
  return keep((await holds(stored.deviceId)) ? stored : { ...stored, deviceId: crypto.randomUUID() });
}

/** @throws SwitchboardError, `not_found` where the deployment gives out no such tokens */
export async function signIn(name: string, userId?: string, wanted: string = crypto.randomUUID()): Promise<Session> {
  const response = await developmentToken(name, userId);
  const account = { userId: response.userId, name };
  const others = knownAccounts().filter((known) => known.userId !== account.userId);
  localStorage.setItem(ACCOUNTS_KEY, JSON.stringify([account, ...others].slice(0, MAX_ACCOUNTS)));
  if (await holds(wanted)) return keep({ ...account, deviceId: wanted });
  return keep({ ...account, deviceId: crypto.randomUUID() });
}

/**
 * `?user=Ada` makes a window Ada's: the one who was here under that name, or a new one. `?as=` is somebody who was
 * here, and `&device=` the device that was woken for a call while it had no window.
 */
export async function signInFromAddress(): Promise<Session | null> {
  const query = new URLSearchParams(location.search);
  const woken = knownAccounts().find(({ userId }) => userId === query.get("as"));
  if (woken) return signIn(woken.name, woken.userId, DeviceId.safeParse(query.get("device")).data);
  const name = DisplayName.safeParse(query.get("user") ?? "");
  if (!name.success) return null;
  const known = knownAccounts().find((account) => account.name === name.data);
  return signIn(name.data, known?.userId);
}

export function signOut(): void {
  sessionStorage.removeItem(SESSION_KEY);
  if (location.search !== "") history.replaceState(null, "", location.pathname);
}

/** Gives the SDK its tokens. */
export function tokenSource({ userId, name }: Account): () => Promise<string> {
  let current: { readonly token: Promise<string>; readonly until: number } | null = null;
  return async () => {
    if (!current || Date.now() > current.until) {
      const token = developmentToken(name, userId).then((response) => response.token);
      current = { token, until: Date.now() + TOKEN_LIFE_MS };
      token.catch(() => {
        current = null;
      });
    }
    return current.token;
  };
}

async function developmentToken(name: string, userId?: string): Promise<z.infer<typeof DevTokenResponse>> {
  const body = JSON.stringify({ name, ...(userId !== undefined && { userId }) });
  const headers = { "content-type": "application/json" };
  const server = { url: location.origin, platform: browserPlatform() };
  return request(server, "/api/dev/token", DevTokenResponse, { method: "POST", headers, body });
}

function keep(session: Session): Session {
  sessionStorage.setItem(SESSION_KEY, JSON.stringify(session));
  return session;
}

/** Takes the device for the life of this window. @returns false if another window has it */
function holds(deviceId: string): Promise<boolean> {
  return new Promise((resolve) => {
    const taken = (lock: Lock | null) => {
      resolve(lock !== null);
      return lock ? new Promise<void>(() => {}) : undefined;
    };
    // Without the Web Locks API (no secure context) the inherited device stays: the newer window wins.
    if (!navigator.locks) resolve(true);
    else void navigator.locks.request(`switchboard.device.${deviceId}`, { ifAvailable: true }, taken);
  });
}

function read<T extends z.ZodType>(storage: Storage, key: string, schema: T): z.output<T> | null {
  const parsed = schema.safeParse(parseJson(storage.getItem(key) ?? ""));
  return parsed.success ? parsed.data : null;
}
