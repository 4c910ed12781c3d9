import type { ServerMessage } from "../schema/server-messages.ts";

/** Tells when an event about an answered call was missed: revisions only ever grow, by one. */
export class RevisionGap {
  #rev: number | null = null;

  isBehind(message: ServerMessage): boolean {
    const rev = "rev" in message ? message.rev : undefined;
    if (rev === undefined) return false;
    const before = this.#rev ?? rev;
    this.#rev = Math.max(before, rev);
    // A snapshot leaves nothing to ask for.
    return message.type !== "call_state" && rev > before + 1;
  }

  /** The call goes on as another one. */
  reset(): void {
    this.#rev = null;
  }
}
