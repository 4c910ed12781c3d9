import type * as z from "zod";
import { parseJson } from "../schema/client-messages.ts";
import { HttpError } from "../schema/errors.ts";
import {
  ContactsResponse,
  DevicesResponse,
  HistoryResponse,
  IceServersResponse,
  PresenceResponse,
} from "../schema/http.ts";
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
}

/** The HTTP API, typed. Each method throws a `SwitchboardError`. */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  contacts(): Promise<ContactsResponse> {
    return this.#get("/api/contacts", ContactsResponse);
  }

  /** The user's calls, newest first. */
  history({ cursor, limit = 20 }: HistoryPage = {}): Promise<HistoryResponse> {
    const query = new URLSearchParams({ limit: String(limit), ...(cursor !== undefined && { cursor }) });
    return this.#get(`/api/calls?${query}`, HistoryResponse);
  }

  iceServers(): Promise<IceServersResponse> {
    return this.#get("/api/ice-servers", IceServersResponse);
  }

  devices(): Promise<DevicesResponse> {
    return this.#get("/api/devices", DevicesResponse);
  }

  presence(userId: string): Promise<PresenceResponse> {
    return this.#get(`/api/users/${encodeURIComponent(userId)}/presence`, PresenceResponse);
  }

  async #get<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> {
    const headers = { authorization: `Bearer ${await this.#options.token()}` };
    return request(this.#options, path, schema, { headers });
  }
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
