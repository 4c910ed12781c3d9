import { createServer, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { databaseError, type Engine, SqlRequest, transactionOptions } from "./neon-protocol.ts";

/** A batch of the ledger is at most 100 messages of 128 KB. */
const MAX_BODY = 16 * 1024 * 1024;

/** Neon's HTTP endpoint on 127.0.0.1. It can be down and up again, as a database can. */
export interface NeonEndpoint {
  /** "host:port"; the same before and after a stop. */
  readonly hostPort: string;
  /** Refuses connections from now on; open ones are cut. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/**
 * @param password what the connection string of each request must hold. Without it, any program on
 *   the machine and any page in a browser could run SQL here.
 */
export async function startNeonEndpoint(engine: Engine, password: string): Promise<NeonEndpoint> {
  const answer = (request: IncomingMessage) => reply(engine, password, request);
  let server = await listen(answer, 0);
  const port = portOf(server);
  return {
    hostPort: `127.0.0.1:${port}`,
    stop: () => closeServer(server),
    start: async () => {
      server = await listen(answer, port);
    },
  };
}

function listen(answer: (request: IncomingMessage) => Promise<Reply>, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request);
    // The rest of a body that was refused unread would be taken for the next request.
    if (!request.complete) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  // workerd keeps idle connections for a minute: the side that closes first loses no request.
  server.keepAliveTimeout = 65_000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the endpoint has no port");
  return address.port;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function reply(engine: Engine, password: string, request: IncomingMessage): Promise<Reply> {
  if (request.method !== "POST" || request.url !== "/sql") return refusal(404, "POST /sql is all there is");
  if (passwordOf(request) !== password) return refusal(400, "password authentication failed", "28P01");
  if (!(Number(request.headers["content-length"]) <= MAX_BODY)) return refusal(413, "the body is too large");
  try {
    const parsed = SqlRequest.safeParse(await text(request));
    if (!parsed.success) return refusal(400, z.prettifyError(parsed.error), "08P01");
    return { status: 200, body: await run(engine, parsed.data, request) };
  } catch (error) {
    return failure(error);
  }
}

async function run(engine: Engine, request: SqlRequest, { headers }: IncomingMessage): Promise<unknown> {
  if (!("queries" in request)) return engine.query(request);
  return { results: await engine.transaction(request.queries, transactionOptions(headers)) };
}

function passwordOf({ headers }: IncomingMessage): string | undefined {
  const url = URL.parse(String(headers["neon-connection-string"]));
  return url === null ? undefined : decodeURIComponent(url.password);
}

/** What Postgres says is a 400; a Postgres that says nothing is a 503, as with Neon. */
function failure(error: unknown): Reply {
  const said = databaseError(error);
  if (said) return { status: 400, body: said };
  return refusal(503, error instanceof Error ? error.message : "the database does not answer");
}

function refusal(status: number, message: string, code?: string): Reply {
  return { status, body: { message, ...(code !== undefined && { severity: "FATAL", code }) } };
}
