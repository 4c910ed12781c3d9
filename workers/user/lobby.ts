import { CLOSE_UNREGISTERED, close } from "../socket.ts";

/**
 * Sockets that have not said yet which device they are: for a short time only. An alarm would cost a row and a wake for
 * every connection. A timer costs nothing: it is cleared within milliseconds, as a rule, and an object that has just
 * accepted a socket is awake for as long anyway. While it runs the object does not hibernate, so it is never lost.
 */
export class Lobby {
  readonly #timers = new Map<WebSocket, ReturnType<typeof setTimeout>>();

  enter(socket: WebSocket, ms: number): void {
    this.#timers.set(
      socket,
      setTimeout(() => this.#turnOut(socket), ms),
    );
  }

  leave(socket: WebSocket): void {
    clearTimeout(this.#timers.get(socket));
    this.#timers.delete(socket);
  }

  #turnOut(socket: WebSocket): void {
    this.#timers.delete(socket);
    close(socket, CLOSE_UNREGISTERED, "this socket has not registered in time");
  }
}
