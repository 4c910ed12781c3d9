import type { ClientMessageInput } from "../schema/client-messages.ts";
import type { ReconnectingSocket } from "./socket.ts";

/** Makes a socket for a path; it is opened when it is needed. */
export type MakeSocket = (path: string) => ReconnectingSocket;

/** The device's sockets: its user's, and one for each call while that lasts. */
export class Sockets {
  readonly user: ReconnectingSocket;
  readonly #make: MakeSocket;
  readonly #calls = new Map<string, ReconnectingSocket>();

  constructor(make: MakeSocket) {
    this.#make = make;
    this.user = make("/ws");
  }

  attach(callId: string): void {
    if (this.#calls.has(callId)) return;
    const socket = this.#make(`/calls/${callId}/ws`);
    this.#calls.set(callId, socket);
    socket.open();
  }

  detach(callId: string): void {
    this.#calls.get(callId)?.close();
    this.#calls.delete(callId);
  }

  /** What is said of a call goes over its own socket while that is open. */
  for(callId: string | null): ReconnectingSocket {
    const own = callId === null ? undefined : this.#calls.get(callId);
    return own?.status === "open" ? own : this.user;
  }

  /** Over the socket that every device has. */
  trySend(message: ClientMessageInput): void {
    this.user.trySend(message);
  }

  /** Each is open on the strength of its own token. */
  renew(token: string): void {
    for (const socket of this.#all) socket.trySend({ type: "token_refresh", token });
  }

  wake(): void {
    for (const socket of this.#all) socket.wake();
  }

  /** Resolves when the server can be reached on each: those on a dead path are replaced. */
  async verify(hasMoved: boolean): Promise<void> {
    await Promise.all(this.#all.map((socket) => socket.verify(hasMoved)));
  }

  get #all(): ReconnectingSocket[] {
    return [this.user, ...this.#calls.values()];
  }
}
