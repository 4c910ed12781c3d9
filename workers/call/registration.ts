import type { Register, TokenRefresh } from "../../schema/client-messages.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { renewal } from "../expiry.ts";
import { errorMessage, REGISTER_FIRST, registered } from "../socket.ts";
import { attachment, type CallSockets } from "./call-sockets.ts";
import { type Event, NO_SUCH_CALL } from "./events.ts";
import { recover } from "./notices.ts";
import type { Post } from "./post.ts";
import type { CallView } from "./state.ts";
import { toldOf } from "./told.ts";
import { snapshotOf } from "./view.ts";

interface Source {
  readonly view: (userId: string) => CallView | undefined;
  readonly step: (event: Event) => unknown;
}

/** How a call socket becomes a device's, and stays open. */
export class Registration {
  readonly #env: Env;
  readonly #sockets: CallSockets;
  readonly #post: Post;
  readonly #source: Source;

  constructor(env: Env, sockets: CallSockets, post: Post, source: Source) {
    this.#env = env;
    this.#sockets = sockets;
    this.#post = post;
    this.#source = source;
  }

  register(socket: WebSocket, message: Register): ServerMessage[] {
    const { id, deviceId } = message;
    const { userId, deviceId: onlyDevice } = attachment(socket).identity;
    if (onlyDevice !== undefined && deviceId !== onlyDevice) {
      return [errorMessage({ code: "forbidden", message: "deviceId: the token is another device's" }, id)];
    }
    this.#source.step({ type: "connected", device: { userId, deviceId }, mayRing: false });
    const view = this.#source.view(userId);
    if (!view) return [errorMessage(NO_SUCH_CALL, id)];
    if (!this.#sockets.register(socket, message, toldOf(view))) return [];
    this.#post.returned({ userId, deviceId });
    const calls = [snapshotOf(view, Date.now())];
    return [registered({ userId, deviceId }, id, view.rev, calls), ...recover(view, deviceId)];
  }

  async refresh(socket: WebSocket, message: TokenRefresh): Promise<ServerMessage[]> {
    const { identity, deviceId } = attachment(socket);
    if (deviceId === null) return [errorMessage(REGISTER_FIRST, message.id)];
    const { lease, reply } = await renewal(identity.userId, message, this.#env);
    if (lease) this.#sockets.renew(socket, lease);
    return [reply];
  }
}
