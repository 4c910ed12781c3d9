import { nextRetryDelayMs } from "../backoff.ts";

/**
 * How a device gets into a room and stays there: it joins, joins anew where the room has moved or its path is lost, and
 * gives up in the end. Pure: time and chance are arguments, what is to be done is told.
 */

export type Membership =
  /** The call's media needs no room yet. */
  | { readonly kind: "outside" }
  /** An offer is on its way. */
  | (Trying & { readonly kind: "joining" })
  /** It was refused, and tries again `at`. */
  | (Trying & { readonly kind: "waiting"; readonly at: number })
  /** It is in, and its path is being found; `at`: by then it must have been. */
  | (Trying & { readonly kind: "opening"; readonly epoch: number; readonly at: number })
  | { readonly kind: "inside"; readonly epoch: number }
  /** Its path was interrupted: `at`, if it has not come back, that counts as a loss. */
  | { readonly kind: "shaky"; readonly epoch: number; readonly at: number }
  /** The server knows of the loss and says what to do; without its word it joins anew `at`. */
  | (Trying & { readonly kind: "lost"; readonly epoch: number; readonly at: number })
  | { readonly kind: "over" };

interface Trying {
  /** How often it has failed. */
  readonly attempt: number;
  /** Since when nothing flows, in Unix ms. */
  readonly since: number;
}

export type MembershipEvent =
  /** The call's media belongs in a room; `epoch`: in this one, as the server says. */
  | { readonly type: "wanted"; readonly epoch?: number }
  /** The server tells the device to join anew. */
  | { readonly type: "told" }
  | { readonly type: "joined"; readonly epoch: number }
  /** What was asked for could not be done. */
  | { readonly type: "refused" }
  | { readonly type: "path"; readonly state: "up" | "interrupted" | "gone" }
  | { readonly type: "time_passed" }
  /** The two who are left need no room any more. */
  | { readonly type: "left" }
  | { readonly type: "closed" };

export type Duty = "join" | "tell_connected" | "tell_recovering" | "give_up";

export interface Course {
  readonly next: Membership;
  readonly duty: Duty | null;
}

/** A path that comes back within this has done no harm. Longer is silence that nobody does anything about. */
const SHAKY_MS = 1_000;
/** The server asks the node whether it lives, for 1 s. Longer delays those whom no word reaches. */
const VERDICT_MS = 2_500;
/** ICE and DTLS take a few round trips; a path that is not there after this long needs another attempt. */
const OPEN_MS = 8_000;
/** The server looks for a node for a minute; whoever has heard nothing for so long has no use for the call. */
const GIVE_UP_MS = 65_000;

export interface Circumstances {
  /** Unix ms. */
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
}

export const OUTSIDE: Membership = { kind: "outside" };

export function course(before: Membership, event: MembershipEvent, about: Circumstances): Course {
  if (before.kind === "over") return nothing(before);
  switch (event.type) {
    case "wanted":
      return wanted(before, event.epoch, about);
    case "told":
      return told(before, about);
    case "joined":
      return before.kind === "joining" ? joined(before, event.epoch, about) : nothing(before);
    case "refused":
      return refused(before, about);
    case "path":
      return path(before, event.state, about);
    case "time_passed":
      return timePassed(before, about);
    case "left":
      return nothing(OUTSIDE);
    case "closed":
      return nothing({ kind: "over" });
  }
}

/** When it is next to be looked at, in Unix ms. */
export function deadline(membership: Membership): number | null {
  return "at" in membership ? membership.at : null;
}

/** Whether what is received comes from the room as it is now. */
export function isUp({ kind }: Membership): boolean {
  return kind === "inside" || kind === "shaky";
}

/** Who is on the way in gets into the room as it is by then. */
function wanted(before: Membership, epoch: number | undefined, about: Circumstances): Course {
  switch (before.kind) {
    case "outside":
      return join(before, about);
    case "waiting":
      return epoch === undefined ? nothing(before) : join(before, about);
    case "opening":
    case "inside":
    case "shaky":
    case "lost":
      return epoch === undefined || epoch === before.epoch ? nothing(before) : join(before, about);
    case "joining":
    case "over":
      return nothing(before);
  }
}

function told(before: Membership, about: Circumstances): Course {
  return before.kind === "joining" || before.kind === "over" ? nothing(before) : join(before, about);
}

function joined({ attempt, since }: Trying, epoch: number, { now }: Circumstances): Course {
  return nothing({ kind: "opening", attempt, since, epoch, at: now + OPEN_MS });
}

/** Of what can be refused only joining leaves nothing; a connection that cannot be renegotiated is of no use either. */
function refused(before: Membership, about: Circumstances): Course {
  switch (before.kind) {
    case "joining":
      return again(before, about);
    case "opening":
    case "inside":
    case "shaky":
      return lost(before, about);
    case "outside":
    case "waiting":
    case "lost":
    case "over":
      return nothing(before);
  }
}

function path(before: Membership, state: "up" | "interrupted" | "gone", about: Circumstances): Course {
  switch (before.kind) {
    case "opening":
      if (state === "up") return { next: { kind: "inside", epoch: before.epoch }, duty: "tell_connected" };
      return state === "gone" ? again(before, about) : nothing(before);
    case "inside":
      if (state === "up") return nothing(before);
      return state === "gone" ? lost(before, about) : nothing(shaky(before.epoch, about));
    case "shaky":
      if (state === "up") return nothing({ kind: "inside", epoch: before.epoch });
      return state === "gone" ? lost(before, about) : nothing(before);
    case "lost":
      if (state !== "up") return nothing(before);
      return { next: { kind: "inside", epoch: before.epoch }, duty: "tell_connected" };
    case "outside":
    case "joining":
    case "waiting":
    case "over":
      return nothing(before);
  }
}

function timePassed(before: Membership, about: Circumstances): Course {
  const due = deadline(before);
  if (due === null || due > about.now) return nothing(before);
  switch (before.kind) {
    case "waiting":
    case "lost":
      return join(before, about);
    case "opening":
      return again(before, about);
    case "shaky":
      return lost(before, about);
    case "outside":
    case "joining":
    case "inside":
    case "over":
      return nothing(before);
  }
}

function join(before: Membership, { now }: Circumstances): Course {
  const { attempt, since } = tryingOf(before, now);
  return { next: { kind: "joining", attempt, since }, duty: "join" };
}

/** Later, so that a room which refuses everybody is not asked by everybody at once. */
function again({ attempt, since }: Trying, { now, random }: Circumstances): Course {
  if (now - since >= GIVE_UP_MS) return { next: { kind: "over" }, duty: "give_up" };
  const at = now + nextRetryDelayMs(attempt, random);
  return nothing({ kind: "waiting", attempt: attempt + 1, since, at });
}

function lost(before: Membership & { readonly epoch: number }, { now }: Circumstances): Course {
  const { attempt, since } = tryingOf(before, now);
  return {
    next: { kind: "lost", attempt, since, epoch: before.epoch, at: now + VERDICT_MS },
    duty: "tell_recovering",
  };
}

function shaky(epoch: number, { now }: Circumstances): Membership {
  return { kind: "shaky", epoch, at: now + SHAKY_MS };
}

function tryingOf(before: Membership, now: number): Trying {
  return "since" in before ? before : { attempt: 0, since: now };
}

function nothing(next: Membership): Course {
  return { next, duty: null };
}
