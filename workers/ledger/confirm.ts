import { type LedgerEvent, outboxKey } from "../../schema/ledger.ts";
import { MAX_LOG } from "../../schema/limits.ts";
import { failure, log, short } from "../log.ts";
import type { CallRpc, Confirmation, UserRpc } from "../rpc.ts";

/** The objects that keep their events until they are confirmed. */
export interface ConfirmTargets {
  readonly USERS: { getByName(userId: string): Pick<UserRpc, "ledgerConfirmed"> };
  readonly CALLS: { getByName(callId: string): Pick<CallRpc, "ledgerConfirmed"> };
}

/**
 * Tells each object what is settled, once. Of a call only its end is confirmed, and so much of a long one that its
 * object should not keep it: nothing is lost if the ledger misses the rest, and each call to an object is a billed
 * request. Of a push nobody keeps anything.
 */
export async function confirm({ USERS, CALLS }: ConfirmTargets, events: readonly LedgerEvent[]): Promise<void> {
  const users = new Map<string, Confirmation[]>();
  const told: Promise<void>[] = [];
  for (const event of events) {
    switch (event.kind) {
      case "user":
      case "device":
        append(users, event.userId, { key: outboxKey(event), rev: event.rev });
        break;
      case "call":
        if (event.state !== "ended" && event.log.length < MAX_LOG) break;
        told.push(attempt(event.callId, () => CALLS.getByName(event.callId).ledgerConfirmed(event.rev)));
        break;
      case "push":
        break;
    }
  }
  for (const [userId, confirmations] of users) {
    told.push(attempt(userId, () => USERS.getByName(userId).ledgerConfirmed(confirmations)));
  }
  await Promise.all(told);
}

function append(users: Map<string, Confirmation[]>, userId: string, confirmation: Confirmation): void {
  const confirmations = users.get(userId);
  if (confirmations) confirmations.push(confirmation);
  else users.set(userId, [confirmation]);
}

/** What is not confirmed is sent again and changes nothing then, so a failure here costs only that. */
async function attempt(id: string, tell: () => Promise<void>): Promise<void> {
  try {
    await tell();
  } catch (error) {
    log("ledger_confirm_failed", { object: short(id), failure: failure(error) });
  }
}
