import { useCallback, useEffect, useState } from "preact/hooks";
import { type Call, type CallElsewhere, errorCode, type Person, type Switchboard } from "../../client/index.ts";
import { storedDevices } from "../devices.ts";
import { groupEndingText } from "../group/text.ts";
import { endingText, errorText } from "../text.ts";

export interface Notice {
  readonly id: number;
  readonly text: string;
}

interface State {
  /** The call that this window is in, or is making. */
  readonly active: Call | null;
  readonly ringing: readonly Call[];
  /** Calls that its user has put on hold for the active one, the latest first. */
  readonly held: readonly Call[];
  readonly notice: Notice | null;
  /** Why a ringing call could not be accepted. */
  readonly trouble: { readonly call: Call; readonly text: string } | null;
  /** The last that have ended here, the latest first. */
  readonly ended: readonly Call[];
}

export interface Calls extends State {
  start(person: Person, video: boolean): void;
  /** Several people at once. */
  startGroup(people: readonly Person[], video: boolean): void;
  /** @param instead what becomes of the call that this window is in */
  accept(call: Call, video: boolean, instead?: "end" | "hold"): void;
  /** Puts the active call on hold and goes on with this one. */
  switchTo(held: Call): void;
  /** Comes into a group call that goes on. */
  join(callId: string, person: Person): void;
  /** Takes over a call of another device. */
  move(call: CallElsewhere): void;
  tell(text: string): void;
  dismissNotice(): void;
}

const NONE: State = { active: null, ringing: [], held: [], notice: null, trouble: null, ended: [] };

/** More than end before the history knows of it. */
const MAX_ENDED = 10;

/** The calls of this window. */
export function useCalls(switchboard: Switchboard): Calls {
  const [state, setState] = useState<State>(NONE);

  const follow = useCallback((call: Call) => {
    call.changed.subscribe(() => setState((before) => after(before, call)));
  }, []);

  useEffect(
    () =>
      switchboard.incoming.subscribe((call) => {
        setState((before) => ({ ...before, ringing: [...before.ringing, call] }));
        follow(call);
      }),
    [switchboard, follow],
  );

  const enter = (call: Call) => {
    setState((before) => ({ ...before, active: call, notice: null }));
    follow(call);
  };

  return {
    ...state,
    start(person, video) {
      enter(switchboard.call(person, { ...storedDevices(), video }));
    },
    startGroup([first, ...others], video) {
      if (first) enter(switchboard.callGroup([first, ...others], { ...storedDevices(), video }));
    },
    accept(call, video, instead = "end") {
      const choice = { ...storedDevices(), video };
      const accepting =
        instead === "hold" ? switchboard.holdAndAccept(call, choice) : switchboard.endAndAccept(call, choice);
      accepting.catch((error: unknown) => {
        setState((before) => ({ ...before, trouble: { call, text: errorText(errorCode(error)) } }));
      });
    },
    switchTo(held) {
      void switchboard.switchTo(held);
      setState((before) => goOnWith(before, held));
    },
    join(callId, person) {
      enter(switchboard.join(callId, person, { ...storedDevices(), video: true }));
    },
    move(elsewhere) {
      enter(switchboard.moveHere(elsewhere, { ...storedDevices(), video: elsewhere.callType === "video" }));
    },
    tell(text) {
      setState((before) => ({ ...before, notice: newNotice(text) }));
    },
    dismissNotice() {
      setState((before) => ({ ...before, notice: null }));
    },
  };
}

/** Where a call belongs after it changed. */
function after(before: State, call: Call): State {
  const others = before.ringing.filter((ringing) => ringing !== call);
  switch (call.phase.kind) {
    case "incoming":
    case "answering":
      // One that is joined rings nowhere.
      if (before.active === call) return { ...before };
      return { ...before, ringing: before.ringing.includes(call) ? [...before.ringing] : [...before.ringing, call] };
    case "ended":
      return withoutCall(before, call, (call.room ? groupEndingText : endingText)(call.phase.ending, call));
    case "initiating":
    case "reaching":
    case "ringing":
    case "connecting":
    case "connected":
    case "reconnecting":
    case "moving":
      return goOnWith({ ...before, ringing: others }, call);
  }
}

/** What was active until now is one of those on hold, and so is this one if it was already. */
function goOnWith(before: State, call: Call): State {
  if (before.held.includes(call) && call.isOnHold) return { ...before };
  const held = [before.active, ...before.held].filter((other) => other !== null && other !== call);
  return { ...before, active: call, held: held.filter((other) => other !== null) };
}

/** With the active one the latest of those on hold comes back; it goes on if its user hung up, and else on a tap. */
function withoutCall(before: State, call: Call, text: string | null): State {
  const isOurs = [before.active, ...before.ringing, ...before.held].includes(call);
  if (!isOurs) return before;
  const held = before.held.filter((other) => other !== call);
  const isActive = before.active === call;
  return {
    ...before,
    active: isActive ? (held[0] ?? null) : before.active,
    held: isActive ? held.slice(1) : held,
    ringing: before.ringing.filter((other) => other !== call),
    notice: text === null ? before.notice : newNotice(text),
    ended: [call, ...before.ended].slice(0, MAX_ENDED),
  };
}

let notices = 0;
function newNotice(text: string): Notice {
  return { id: ++notices, text };
}
