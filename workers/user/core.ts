import type { CallView } from "../call/state.ts";
import type { User } from "./state.ts";
import type { Event, Verdict } from "./user.ts";

/** What the parts of a UserObject share: the user as they are, and the one way to change that. */
export interface Core {
  readonly user: () => User;
  /** Decides, writes what was decided, and has the others hear of it. */
  readonly step: (event: Event) => Verdict;
  /** How a call stands for the user, which is taken to heart: what is remembered of it may be old. Null for none. */
  readonly look: (callId: string) => Promise<CallView | null>;
  /** For work that no answer waits for. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** A deadline has come that the state knows nothing of. */
  readonly arm: () => void;
}
