import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";

interface Address {
  readonly address: string;
  readonly port: number;
}

/** Of a socket: datagrams that wait while this process is at something else are not lost. */
const BUFFER = 4 * 1024 * 1024;

/**
 * A network path between two ends, by UDP: what comes in at one port goes out of the other, so many ms later, to whom
 * was heard there last. It stands in for netem, which needs a kernel with it and the rights of root.
 */
export class DelayPath {
  /** Where each end finds the other. */
  readonly nearPort: number;
  readonly farPort: number;
  readonly #sockets: readonly [Socket, Socket];
  #isClosed = false;

  private constructor(near: Socket, far: Socket, delayMs: number, farEnd: Address | null) {
    this.#sockets = [near, far];
    this.nearPort = near.address().port;
    this.farPort = far.address().port;
    const heard = new Map<Socket, Address>();
    if (farEnd) heard.set(far, farEnd);
    const carry = (from: Socket, to: Socket) => {
      from.on("message", (datagram: Buffer, { address, port }: RemoteInfo) => {
        heard.set(from, { address, port });
        setTimeout(() => {
          const end = heard.get(to);
          if (end && !this.#isClosed) to.send(datagram, end.port, end.address, () => {});
        }, delayMs);
      });
      // Either end may be gone before what is under way to it.
      from.on("error", () => {});
    };
    carry(near, far);
    carry(far, near);
  }

  /** @param farEnd null when it speaks first, as peers do; an SFU that is ICE lite does not */
  static async open(delayMs: number, farEnd: Address | null): Promise<DelayPath> {
    const [near, far] = [await bound(), await bound()];
    return new DelayPath(near, far, delayMs, farEnd);
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.close();
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: BUFFER, sendBufferSize: BUFFER });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
