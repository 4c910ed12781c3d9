/** What each request, row and message of a call is for; one that is new here has none yet and shows up bare. */
const PURPOSES: Readonly<Record<string, string>> = {
  "CallObject socket opened": "call sockets of the caller, of who answers and of who is late with that",
  "CallObject RPC create": "the caller's object makes the call",
  "CallObject RPC command call_alerting": "the first device that alerts; the others stop at their user's object",
  "CallObject RPC command ice_candidate": "candidates sent before the caller's call socket is open",
  "CallObject RPC ledgerConfirmed": "the history has the outcome: nothing is left to tell",
  "CallObject alarm": "15 s after the start: was there an answer, and did media come",
  "CallObject alarm, still to come": "24 h after the end: empties the object",
  "UserObject RPC callChanged callee reaching": "rings the callee's devices",
  "UserObject RPC callChanged caller ringing": "ringing, for a caller whose call socket is not open yet",
  "UserObject RPC callChanged callee connecting": "stops the devices that did not win",
  "UserObject RPC callChanged caller ended": "takes the call off the caller's list",
  "UserObject RPC callChanged callee ended": "takes the call off the callee's list",
  "UserObject RPC deliver": "a message for a device without a call socket",
  "UserObject RPC lastSign": "whether a device of a running call is alive",

  "CallObject put call <- RPC create": "the call exists, and its offer",
  "CallObject put call <- RPC command call_alerting": "the caller is told: a decision",
  "CallObject put call <- message call_answer": "the winner",
  "CallObject put call <- message call_media": "media flows; the descriptions go",
  "CallObject put call <- message call_end": "the outcome, and the outbox",
  "CallObject put call <- RPC ledgerConfirmed": "the outbox is empty",
  "CallObject put ice <- RPC command ice_candidate": "candidates without a socket to keep them with",
  "CallObject set alarm <- RPC create": "the first deadline",
  "CallObject set alarm <- alarm": "the next deadline",
  "CallObject set alarm <- message call_end": "the ledger is told again if it does not confirm",
  "CallObject set alarm <- RPC ledgerConfirmed": "moved to 24 h after the end",
  "UserObject put user <- message call_initiate": "the idempotency key and the call",
  "UserObject put user <- RPC callChanged callee reaching": "the callee is rung: for devices that come late",

  "CallObject call ringing": "history: initiated",
  "CallObject call connected": "history: answered",
  "CallObject call ended": "history: over",
  "Worker GET /calls/:id/ws": "the sockets above, on their way in",
};

export function purposeOf({ object, item }: { readonly object: string; readonly item: string }): string {
  return PURPOSES[`${object} ${item}`] ?? "";
}
