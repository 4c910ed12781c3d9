import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface NodeHealth {
  readonly registered: boolean;
  readonly workers: { readonly alive: number; readonly configured: number };
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `/health/live`: 200 while the process answers. `/health/ready`: 200 while rooms can be placed here,
 * which takes a registration and a worker; else 503.
 * @throws what `listen` says, when the port is taken
 */
export async function startHealth(host: string, port: number, health: () => NodeHealth): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const { status, body } = answer(request.url ?? "", health());
    response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: portOf(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(path: string, health: NodeHealth): { status: number; body: object } {
  switch (path) {
    case "/health/live":
      return { status: 200, body: { status: "ok" } };
    case "/health/ready": {
      const isReady = health.registered && health.workers.alive > 0;
      return { status: isReady ? 200 : 503, body: { status: isReady ? "ok" : "degraded", ...health } };
    }
  }
  return { status: 404, body: { error: { code: "not_found", message: "/health/live or /health/ready" } } };
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("the health server has no port");
  return address.port;
}
