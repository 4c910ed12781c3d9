import type { ClientMessageInput } from "../schema/client-messages.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import { SwitchboardError } from "./errors.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
/** A message as the SDK's parts write it: ids are given where it is sent. */
export type Outgoing = WithoutId<ClientMessageInput>;
export type Send = (message: ClientMessageInput) => void;

interface Pending {
  readonly message: ClientMessageInput;
  readonly resolve: (reply: ServerMessage) => void;
  readonly reject: (error: SwitchboardError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** A reply takes one round trip; what is not there after this long needs a person to decide. */
const TIMEOUT_MS = 10_000;

/**
 * Commands that wait for their reply. A reply may come on either socket, and a command may be sent
 * again after a reconnection: the server knows its id for 5 min.
 */
export class Commands {
  readonly #pending = new Map<string, Pending>();

  /** @throws SwitchboardError with the server's code, or `timeout`, or `closed` */
  request(message: Outgoing, send: Send, id: string = crypto.randomUUID()): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(id, "timeout", "the server did not answer in time"), TIMEOUT_MS);
      const identified = { ...message, id };
      this.#pending.set(id, { message: identified, resolve, reject, timer });
      send(identified);
    });
  }

  /** Resolves the command that this message answers, if any. */
  settle(message: ServerMessage): void {
    const re = "re" in message ? message.re : undefined;
    const pending = re === undefined ? undefined : this.#take(re);
    if (!pending) return;
    if (message.type !== "error") pending.resolve(message);
    else pending.reject(new SwitchboardError(message.code, message.message, message.retryAfterMs));
  }

  /** What was on its way when a socket broke goes out again on the next one. */
  resend(send: Send): void {
    for (const { message } of [...this.#pending.values()]) send(message);
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, "closed", "the client was closed");
  }

  #fail(id: string, code: "timeout" | "closed", message: string): void {
    this.#take(id)?.reject(new SwitchboardError(code, message));
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }
}
