import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { PATIENCE_MS } from "./patience.ts";

/** What a gateway says in place of yes, once. */
export interface Scripted {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: object;
}

/** A request that a provider would refuse, and what it would say. */
export class Refused extends Error {
  readonly scripted: Scripted;

  constructor(status: number, reason: string) {
    super(reason);
    this.scripted = { status, body: { reason } };
  }
}

/** What a gateway was sent, waited for in order, and what it answers next. */
export class Inbox<T> {
  readonly received: T[] = [];
  /** Why requests were refused: empty after a test in which everything was right. */
  readonly refusals: string[] = [];
  readonly #script: Scripted[] = [];
  readonly #taken = new Set<T>();
  readonly #waiting = new Set<() => void>();

  /** The next answers, one each. */
  answers(...scripted: Scripted[]): void {
    this.#script.push(...scripted);
  }

  /** The answer to what was received; undefined for a yes. */
  put(item: T): Scripted | undefined {
    this.received.push(item);
    for (const look of [...this.#waiting]) look();
    return this.#script.shift();
  }

  refused(error: unknown): Scripted {
    this.refusals.push(error instanceof Error ? error.message : String(error));
    return error instanceof Refused ? error.scripted : { status: 400, body: { reason: "BadRequest" } };
  }

  /** The first that no earlier call has taken. */
  async next(where: (item: T) => boolean = () => true): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = () => {
      const found = this.received.find((item) => !this.#taken.has(item) && where(item));
      if (found) resolve(found);
    };
    const timer = setTimeout(() => reject(new Error(`no push came; refused: ${this.refusals.join()}`)), PATIENCE_MS);
    this.#waiting.add(look);
    look();
    const item = await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(look);
    });
    this.#taken.add(item);
    return item;
  }
}

export interface Listening {
  readonly origin: string;
  close(): Promise<void>;
}

export async function listen(server: Server, scheme: "http" | "https"): Promise<AddressInfo & { origin: string }> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the gateway has no port");
  return { ...address, origin: `${scheme}://127.0.0.1:${address.port}` };
}

/** A provider over HTTP/1.1 on this machine. */
export async function serve(
  respond: (request: IncomingMessage, body: Buffer) => Promise<Scripted>,
): Promise<Listening> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    write(response, await respond(request, Buffer.concat(chunks)));
  });
  const { origin } = await listen(server, "http");
  return {
    origin,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function write(response: ServerResponse, { status, headers = {}, body }: Scripted): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body && JSON.stringify(body));
}
