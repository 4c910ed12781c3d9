import { useCallback, useEffect, useState } from "preact/hooks";
import { type Call, errorCode, type Person, type Switchboard } from "../../client/index.ts";
import { storedDevices } from "../devices.ts";
import { endingText, errorText } from "../text.ts";

export interface Notice {
  readonly id: number;
  readonly text: string;
}

interface State {
  /** The call that this window is in, or is making. */
  readonly active: Call | null;
  readonly ringing: readonly Call[];
  readonly notice: Notice | null;
  /** Why a ringing call could not be accepted. */
  readonly trouble: { readonly call: Call; readonly text: string } | null;
  /** How many have ended here. */
  readonly ended: number;
}

export interface Calls extends State {
  start(person: Person, video: boolean): void;
  accept(call: Call, video: boolean): void;
  dismissNotice(): void;
}

const NONE: State = { active: null, ringing: [], notice: null, trouble: null, ended: 0 };

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

  return {
    ...state,
    start(person, video) {
      const call = switchboard.call(person, { ...storedDevices(), video });
      setState((before) => ({ ...before, active: call, notice: null }));
      follow(call);
    },
    accept(call, video) {
      if (state.active !== call) state.active?.hangUp();
      call.answer({ ...storedDevices(), video }).catch((error: unknown) => {
        setState((before) => ({ ...before, trouble: { call, text: errorText(errorCode(error)) } }));
      });
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
      return { ...before, ringing: before.ringing.includes(call) ? [...before.ringing] : [...before.ringing, call] };
    case "ended": {
      if (before.active !== call && others.length === before.ringing.length) return before;
      const text = endingText(call.phase.ending, call);
      const notice = text === null ? before.notice : newNotice(text);
      return {
        ...before,
        active: before.active === call ? null : before.active,
        ringing: others,
        notice,
        ended: before.ended + 1,
      };
    }
    case "initiating":
    case "reaching":
    case "ringing":
    case "connecting":
    case "connected":
    case "reconnecting":
    case "moving":
      return { ...before, active: call, ringing: others };
  }
}

let notices = 0;
function newNotice(text: string): Notice {
  return { id: ++notices, text };
}
