import type { CallState } from "../../schema/call.ts";
import { alertingLegs, deviceIn } from "./people.ts";
import type { Call, CallView, Participant, PersonView, Told } from "./state.ts";

/** What somebody has been told of a call, and whether there is anything new for them. Pure. */

export function isAnswered(state: CallState | undefined): boolean {
  return state === "connecting" || state === "connected" || state === "reconnecting";
}

export function rings(state: CallState | undefined): boolean {
  return state === "reaching" || state === "ringing";
}

export function personView(participant: Participant): PersonView {
  const { userId, name, state, isHolding, isUnknown } = participant;
  const alerting = alertingLegs(participant).length;
  return { userId, name, state, alerting, isHolding, deviceId: deviceIn(participant), isUnknown };
}

export function toldOf({ state, people, moves, drops, turns }: CallView): Told {
  return { state, people: people.map(letter).join(""), moves: moves.count, drops: drops.count, turns };
}

export function letters(participants: readonly Participant[]): string {
  return participants.map((participant) => letter(personView(participant))).join("");
}

/** What others have been told: of these users it is not known. */
export function without(heard: Readonly<Record<string, Told>>, userIds: readonly string[]): Record<string, Told> {
  return Object.fromEntries(Object.entries(heard).filter(([userId]) => !userIds.includes(userId)));
}

/** `i` invited, `r` ringing, `j` joined, `h` joined and holding, `d` declined, `b` busy, `m` missed, `l` left, `x` unknown. */
export function letter({ state, alerting, isHolding, isUnknown }: PersonView): string {
  if (isUnknown) return "x";
  switch (state) {
    case "invited":
      return alerting > 0 ? "r" : "i";
    case "joined":
      return isHolding ? "h" : "j";
    case "declined":
    case "busy":
    case "missed":
    case "left":
      return state.charAt(0);
  }
}

export function isSameTold(a: Told, b: Told): boolean {
  const isSame = a.state === b.state && a.people === b.people;
  return isSame && a.moves === b.moves && a.drops === b.drops && a.turns === b.turns;
}

/** With one turn more, if a device would be told of the difference. */
export function turned(before: Call, after: Call, now: number): Call {
  const isSame = before.phase.kind === after.phase.kind && letters(before.participants) === letters(after.participants);
  return isSame ? after : { ...after, turns: before.turns + 1, turnedAt: now };
}

/** Whether a user's object, having heard `before`, has anything to tell its devices of `view`. */
export function concerns(before: Told | undefined, view: CallView): boolean {
  const now = toldOf(view);
  if (before && isSameTold(before, now)) return false;
  if (before?.state !== now.state && view.state === "ended") return true;
  if (view.joined.length === 0) return isAboutRinging(before, view);
  if (view.role === "callee" && !isAnswered(before?.state)) return true;
  if (view.hasIdleDevices && isNewsOutside(before, now)) return true;
  return view.joined.some((deviceId) => !view.onCallSocket.includes(deviceId));
}

/** Where the call is, for devices that may take it over. */
function isNewsOutside(before: Told | undefined, now: Told): boolean {
  if (isAnswered(before?.state) !== isAnswered(now.state)) return true;
  return before?.moves !== now.moves || before.drops !== now.drops;
}

/** Those who are rung hear that it rings and that it stops, and nothing of the others. */
function isAboutRinging(before: Told | undefined, view: CallView): boolean {
  return rings(before?.state) !== rings(view.state);
}
