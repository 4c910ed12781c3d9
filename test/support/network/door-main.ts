import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

// The public door of the edge, inside a namespace: as any site it has port 443 with TLS, and 80 for the media nodes. The
// edge itself runs outside, where a Unix socket leads: those know no namespaces.

const [address, socketPath = "", certPath = "", keyPath = ""] = process.argv.slice(2);

function forward(socket: Socket): void {
  const edge = connect(socketPath);
  for (const [from, to] of [
    [socket, edge],
    [edge, socket],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}

const secure = { cert: readFileSync(certPath), key: readFileSync(keyPath) };
const opening = [
  [createServer(forward), 80],
  [createTlsServer(secure, forward), 443],
] as const;
await Promise.all(opening.map(([server, port]) => new Promise<void>((open) => server.listen(port, address, open))));
process.send?.("open");
