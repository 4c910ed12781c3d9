import type { Identity } from "../socket.ts";
import type { CallGrant } from "./call-token.ts";

/** What a route finds in its context: the Worker's bindings, and who asks. */
export interface Bindings {
  Bindings: Env;
  Variables: { identity: Identity; grant?: CallGrant };
}
