import type { ServerMessage } from "../schema/server-messages.ts";
import type { CallLink } from "./call-link.ts";
import type { CandidateBatch } from "./candidate-batch.ts";
import { errorCode } from "./errors.ts";
import type { Description } from "./peer.ts";

type InCall = Parameters<CallLink["send"]>[0];
type WithoutCallId<T> = T extends unknown ? Omit<T, "callId"> : never;
/** What is said about a call, by whoever knows its id. */
export type CallCommand = WithoutCallId<InCall>;

/** What one call says to the server, under the id that it has at the time. */
export class CallCommands {
  readonly #link: CallLink;
  /** The server's; null until it has taken the call. */
  id: string | null;

  constructor(link: CallLink, id: string | null) {
    this.#link = link;
    this.id = id;
  }

  /** Says it without waiting for anything. Before the call has an id, nobody could know what is meant. */
  send(command: CallCommand): void {
    if (this.id !== null) this.#link.send({ ...command, callId: this.id });
  }

  /** @throws SwitchboardError what the server answered, `timeout` or `closed` */
  async request(command: CallCommand, commandId?: string): Promise<ServerMessage | null> {
    if (this.id === null) return null;
    return this.#link.request({ ...command, callId: this.id }, this.id, commandId);
  }

  /** Says it surely; what comes of it, if it matters, is told in another message. @returns false for an unknown call */
  async tell(command: CallCommand): Promise<boolean> {
    try {
      await this.request(command);
      return true;
    } catch (error) {
      return errorCode(error) !== "call_not_found";
    }
  }
}

/** @param connectionId which of two connections is meant, while there are two */
export function candidates(batch: CandidateBatch, connectionId: string | undefined): CallCommand {
  const { candidates, endOfCandidates } = batch;
  return { type: "ice_candidate", candidates, ...(endOfCandidates && { endOfCandidates }), ...named(connectionId) };
}

export function negotiation(description: Description, connectionId: string | undefined): CallCommand {
  return { type: "call_negotiate", ...description, ...named(connectionId) };
}

function named(connectionId: string | undefined): { readonly connectionId?: string } {
  return connectionId === undefined ? {} : { connectionId };
}
