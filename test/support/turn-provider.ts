import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

/** What the provider was asked. */
interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface TurnProvider {
  readonly url: string;
  readonly asked: Asked[];
  /** The status of what it answers from now on. */
  answers(status: number, body: unknown): void;
  close(): Promise<void>;
}

/** A service on this machine that gives out TURN credentials as Cloudflare's does. */
export async function startTurnProvider(): Promise<TurnProvider> {
  let answer = { status: 500, body: "" };
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    asked.push({ method, path, authorization: headers.authorization, body: await textOf(request) });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the provider has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    answers: (status, body) => {
      answer = { status, body: JSON.stringify(body) };
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
