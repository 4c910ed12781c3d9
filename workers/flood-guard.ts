import { FLOOD_RATE, FLOOD_SECONDS } from "../schema/limits.ts";
import { counted, isFlood, type Window } from "./flood.ts";
import { close, errorMessage, send } from "./socket.ts";

/** Looks after the sockets of an object. An object that is flooded does not hibernate, so memory is enough. */
export class FloodGuard {
  readonly #windows = new WeakMap<WebSocket, Window>();

  /** Counts a message, of whatever kind. @returns false when the socket was closed for it */
  admits(socket: WebSocket, now: number): boolean {
    const window = counted(this.#windows.get(socket), now);
    this.#windows.set(socket, window);
    if (!isFlood(window)) return true;
    const message = `more than ${FLOOD_RATE} messages a second for ${FLOOD_SECONDS} s`;
    send(socket, [errorMessage({ code: "rate_limited", message }, undefined)]);
    close(socket, 1008, "too many messages");
    return false;
  }
}
