import * as z from "zod";
import type { Direction, Outcome } from "../schema/call.ts";
import { HttpError } from "../schema/errors.ts";
import {
  BlocksResponse,
  ContactsResponse,
  DevicesResponse,
  HistoryResponse,
  IceServersResponse,
  PresenceResponse,
  RegionsResponse,
  Settings,
  type SettingsRequest,
  VapidKeyResponse,
} from "../schema/http.ts";
import { parseJson } from "../schema/json.ts";
import type { PushToken } from "../schema/push-token.ts";
import { SwitchboardError } from "./errors.ts";
import type { Platform } from "./platform.ts";

export interface ApiOptions {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly platform: Pick<Platform, "fetch">;
}

export interface HistoryPage {
  /** From the last page's `nextCursor`; without it, the newest calls. */
  readonly cursor?: string;
  /** 1 to 100, 20 unless told. */
  readonly limit?: number;
  /** Calls of those whom the user has blocked are listed only with `blocked`. */
  readonly outcome?: Outcome;
  readonly direction?: Direction;
}

/** A 204. */
const Nothing = z.undefined();

/** The HTTP API, typed. Each method throws a `SwitchboardError`. */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  contacts(): Promise<ContactsResponse> {
    return this.#get("/api/contacts", ContactsResponse);
  }

  /** With `ringFrom: "contacts"` only contacts ring. */
  addContact(userId: string): Promise<void> {
    return this.#ask("POST", path("contacts", userId), Nothing);
  }

  removeContact(userId: string): Promise<void> {
    return this.#ask("DELETE", path("contacts", userId), Nothing);
  }

  /** The user's calls, newest first. */
  history({ limit = 20, ...filters }: HistoryPage = {}): Promise<HistoryResponse> {
    const query = new URLSearchParams({ limit: String(limit), ...filters });
    return this.#get(`/api/calls?${query}`, HistoryResponse);
  }

  /** Takes a call out of the user's history for good; the others keep theirs. */
  removeFromHistory(callId: string): Promise<void> {
    return this.#ask("DELETE", path("calls", callId), Nothing);
  }

  blocks(): Promise<BlocksResponse> {
    return this.#get("/api/blocks", BlocksResponse);
  }

  /** Their calls ring nothing from now on; they cannot tell. */
  block(userId: string): Promise<void> {
    return this.#ask("PUT", path("blocks", userId), Nothing);
  }

  unblock(userId: string): Promise<void> {
    return this.#ask("DELETE", path("blocks", userId), Nothing);
  }

  settings(): Promise<Settings> {
    return this.#get("/api/settings", Settings);
  }

  setSettings(settings: SettingsRequest): Promise<Settings> {
    return this.#ask("PUT", "/api/settings", Settings, settings);
  }

  /** @param policy `relay` for this connection alone, however the user has it */
  iceServers(policy: IceServersResponse["iceTransportPolicy"] = "all"): Promise<IceServersResponse> {
    return this.#get(policy === "all" ? "/api/ice-servers" : "/api/ice-servers?policy=relay", IceServersResponse);
  }

  /** Where to measure how far the regions of media nodes are. */
  regions(): Promise<RegionsResponse> {
    return this.#get("/api/regions", RegionsResponse);
  }

  devices(): Promise<DevicesResponse> {
    return this.#get("/api/devices", DevicesResponse);
  }

  /** The device is the user's no more: its connection is closed, and it is not pushed. */
  removeDevice(deviceId: string): Promise<void> {
    return this.#ask("DELETE", path("devices", deviceId), Nothing);
  }

  /** The device neither rings nor is it pushed; callers cannot tell. */
  setDoNotDisturb(deviceId: string, doNotDisturb: boolean): Promise<void> {
    return this.#ask("PUT", path("devices", deviceId), Nothing, { doNotDisturb });
  }

  /** How the device is woken while it has no connection. */
  setPushToken(deviceId: string, push: PushToken): Promise<void> {
    return this.#ask("PUT", `${path("devices", deviceId)}/push-token`, Nothing, push);
  }

  /** What `PushManager.subscribe` takes; `not_found` where the deployment pushes to no browsers. */
  vapidKey(): Promise<VapidKeyResponse> {
    return this.#get("/api/push/vapid-key", VapidKeyResponse);
  }

  presence(userId: string): Promise<PresenceResponse> {
    return this.#get(`${path("users", userId)}/presence`, PresenceResponse);
  }

  #get<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> {
    return this.#ask("GET", path, schema);
  }

  async #ask<T extends z.ZodType>(method: string, path: string, schema: T, body?: object): Promise<z.output<T>> {
    const authorization = `Bearer ${await this.#options.token()}`;
    if (body === undefined) return request(this.#options, path, schema, { method, headers: { authorization } });
    const headers = { authorization, "content-type": "application/json" };
    return request(this.#options, path, schema, { method, headers, body: JSON.stringify(body) });
  }
}

function path(kind: "blocks" | "calls" | "contacts" | "devices" | "users", id: string): string {
  return `/api/${kind}/${encodeURIComponent(id)}`;
}

/** One request, its answer checked against the schema. */
export async function request<T extends z.ZodType>(
  { url, platform }: Pick<ApiOptions, "url" | "platform">,
  path: string,
  schema: T,
  init: RequestInit,
): Promise<z.output<T>> {
  const response = await platform.fetch(new URL(path, url), init).catch(() => {
    throw new SwitchboardError("offline", "the server cannot be reached");
  });
  const body = parseJson(await response.text().catch(() => ""));
  const parsed = schema.safeParse(body);
  if (response.ok && parsed.success) return parsed.data;
  const refused = HttpError.safeParse(body);
  if (refused.success) throw new SwitchboardError(refused.data.error.code, refused.data.error.message);
  throw new SwitchboardError("invalid_response", `${path}: status ${response.status}, not of the API's form`);
}
