import { connect } from "cloudflare:sockets";
import { inTime } from "../http/in-time.ts";
import type { TurnServer } from "./servers.ts";

/** A server that is alive answers within two round trips, from anywhere. Longer holds up a call whose server has died. */
const TIMEOUT_MS = 1_000;

const HEADER_BYTES = 20;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAGIC_COOKIE = 0x2112a442;

/**
 * Whether a server answers a STUN Binding over TCP (RFC 8489, 6.2.2), which takes no credential. A Worker has no UDP; a
 * process that hangs does not answer here either.
 */
export async function probe(server: TurnServer): Promise<boolean> {
  return (await inTime(binding(server), TIMEOUT_MS)) ?? false;
}

async function binding({ host, port }: TurnServer): Promise<boolean> {
  const socket = connect(`${host}:${port}`);
  // What is wrong shows where it is opened, written to and read from.
  socket.closed.catch(() => {});
  // A server that never answers does not keep its connection.
  const late = setTimeout(() => close(socket), TIMEOUT_MS);
  try {
    await socket.opened;
    await socket.writable.getWriter().write(bindingRequest());
    const { value } = await socket.readable.getReader().read();
    return value instanceof Uint8Array && isSuccess(value);
  } finally {
    clearTimeout(late);
    close(socket);
  }
}

function close(socket: Socket): void {
  socket.close().catch(() => {});
}

function bindingRequest(): Uint8Array {
  const request = new DataView(new ArrayBuffer(HEADER_BYTES));
  request.setUint16(0, BINDING_REQUEST);
  request.setUint32(4, MAGIC_COOKIE);
  const bytes = new Uint8Array(request.buffer);
  crypto.getRandomValues(bytes.subarray(8));
  return bytes;
}

function isSuccess(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const answer = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return answer.getUint16(0) === BINDING_SUCCESS && answer.getUint32(4) === MAGIC_COOKIE;
}
