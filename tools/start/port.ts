import { once } from "node:events";
import { createServer } from "node:net";
import { SetupError } from "../setup/setup-error.ts";

/**
 * Asked before anything is started, because a person should not wait for the answer.
 * @throws SetupError `port_in_use`, `bad_setting`
 */
export async function mustBeFree(port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    throw explained(error, port);
  }
  server.close();
  await once(server, "close");
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  server.close();
  await once(server, "close");
  return address.port;
}

function explained(error: unknown, port: number): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new SetupError(
      "port_in_use",
      `port ${port} of 127.0.0.1 is in use`,
      `Stop what listens there (maybe another Switchboard), or choose another: PORT=${port + 1} npm start`,
    );
  }
  if (code === "EACCES") {
    return new SetupError("bad_setting", `only root may listen on port ${port}`, "Choose one above 1023 with PORT.");
  }
  return error;
}
