import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import * as z from "zod";
import type { PushAnswer, PushOrder } from "../schema/fleet.ts";
import { type Log, problem } from "./log.ts";

/** Shorter than the edge waits, so that it hears of a time-out. */
const ANSWER_MS = 4_000;
/** An error's body names its reason; what is larger is not one. */
const MAX_ANSWER = 1_024;

const Reason = z.object({ reason: z.string().max(100) });

export interface PushRelayOptions {
  /** Where APNs is: no other server is ever asked. */
  readonly apnsUrl: URL;
  /** Whom to trust besides the usual authorities. */
  readonly ca?: string;
  readonly log: Log;
}

/** Takes the edge's pushes to APNs, over one HTTP/2 connection that is kept: Apple takes frequent new ones for an attack. */
export class PushRelay {
  readonly #options: PushRelayOptions;
  #session: ClientHttp2Session | null = null;

  constructor(options: PushRelayOptions) {
    this.#options = options;
  }

  /** Never throws: what went wrong is an answer without a status. */
  async send({ token, headers, body }: PushOrder): Promise<PushAnswer> {
    try {
      const session = this.#connected();
      const path = `/3/device/${token}`;
      const stream = session.request({ ":method": "POST", ":path": path, ...headers });
      stream.setTimeout(ANSWER_MS, () => this.#giveUp(session));
      stream.end(body);
      return await answerOf(stream);
    } catch (error) {
      this.#options.log("push_relay_failed", { problem: problem(error) });
      return { status: null, reason: null, retryAfter: null };
    }
  }

  async close(): Promise<void> {
    this.#session?.destroy();
    this.#session = null;
  }

  #connected(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const { apnsUrl, ca, log } = this.#options;
    const session = connect(apnsUrl, ca === undefined ? {} : { ca });
    session.on("error", (error) => log("push_relay_disconnected", { problem: problem(error) }));
    // What has begun goes on there; the next push dials.
    session.on("goaway", () => session.close());
    this.#session = session;
    return session;
  }

  /** A connection that does not answer is likely dead without knowing it. */
  #giveUp(session: ClientHttp2Session): void {
    this.#options.log("push_relay_timed_out");
    session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }
}

function answerOf(stream: ClientHttp2Stream): Promise<PushAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PushAnswer>();
  let status: number | null = null;
  let retryAfter: string | null = null;
  let text = "";
  stream.setEncoding("utf8");
  stream.on("response", (headers) => {
    status = headers[":status"] ?? null;
    retryAfter = headers["retry-after"] ?? null;
  });
  stream.on("data", (chunk: string) => {
    if (text.length < MAX_ANSWER) text += chunk;
  });
  stream.on("error", reject);
  stream.on("close", () => resolve({ status, reason: reasonIn(text), retryAfter }));
  return promise;
}

function reasonIn(text: string): string | null {
  try {
    return Reason.parse(JSON.parse(text)).reason;
  } catch {
    return null;
  }
}
