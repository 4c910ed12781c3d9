import type {
  ClientMessage,
  InCallMessage,
  PresenceWatch,
  Register,
  TokenRefresh,
} from "../../schema/client-messages.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { renewal } from "../expiry.ts";
import { failure, log, short } from "../log.ts";
import { errorMessage, REGISTER_FIRST, send } from "../socket.ts";
import type { Core } from "./core.ts";
import type { Departures } from "./departures.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Registration } from "./registration.ts";
import { isOnline } from "./user.ts";
import { attachment, type UserSockets } from "./user-sockets.ts";

interface Parts {
  readonly sockets: UserSockets;
  readonly registration: Registration;
  readonly outgoing: Outgoing;
  readonly departures: Departures;
}

/** Answers what devices say on their user sockets; most of it is about a call, and goes on to that call's object. */
export class Messages {
  readonly #env: Env;
  readonly #core: Core;
  readonly #parts: Parts;

  constructor(env: Env, core: Core, parts: Parts) {
    this.#env = env;
    this.#core = core;
    this.#parts = parts;
  }

  async take(socket: WebSocket, message: ClientMessage): Promise<void> {
    try {
      send(socket, await this.#respond(socket, message));
    } catch (error) {
      const { userId } = this.#core.user();
      log("message_failed", { user: short(userId), type: message.type, failure: failure(error) });
      send(socket, [errorMessage({ code: "internal", message: "try again" }, message.id)]);
    }
  }

  async #respond(socket: WebSocket, message: ClientMessage): Promise<ServerMessage[]> {
    if (message.type === "register") return this.#register(socket, message);
    const { deviceId } = attachment(socket);
    if (deviceId === null) return [errorMessage(REGISTER_FIRST, message.id)];
    switch (message.type) {
      case "call_initiate":
        return this.#parts.outgoing.initiate(socket, deviceId, message);
      case "presence_watch":
        return this.#watch(socket, message);
      case "token_refresh":
        return this.#refresh(socket, message);
      case "call_alerting":
        return this.#alerting(socket, deviceId, message);
      default:
        return this.#forward(deviceId, message);
    }
  }

  async #register(socket: WebSocket, message: Register): Promise<ServerMessage[]> {
    const { registration, departures } = this.#parts;
    const { user, arm } = this.#core;
    const { deviceId: former } = attachment(socket);
    const wasOnline = isOnline(user());
    const answers = await registration.register(socket, message);
    if (!wasOnline && isOnline(user())) log("user_online", { user: short(user().userId) });
    if (former !== message.deviceId) departures.left(former);
    arm();
    return answers;
  }

  async #refresh(socket: WebSocket, message: TokenRefresh): Promise<ServerMessage[]> {
    const { lease, reply } = await renewal(this.#core.user().userId, message, this.#env);
    if (lease) this.#parts.sockets.renew(socket, lease);
    this.#core.arm();
    return [reply];
  }

  /** Only a call's first alerting goes on; of a refused one it is as if it had not been said. */
  async #alerting(socket: WebSocket, deviceId: string, message: InCallMessage): Promise<ServerMessage[]> {
    const { sockets } = this.#parts;
    const { callId } = message;
    const isFirst = sockets.alerting(callId).size === 0;
    sockets.markAlerting(socket, callId, true);
    if (!isFirst) return [];
    const replies = await this.#forward(deviceId, message).catch((error: unknown) => {
      sockets.markAlerting(socket, callId, false);
      throw error;
    });
    if (replies.length > 0) sockets.markAlerting(socket, callId, false);
    return replies;
  }

  async #forward(deviceId: string, message: InCallMessage): Promise<ServerMessage[]> {
    const { userId, profile } = this.#core.user();
    return this.#env.CALLS.getByName(message.callId).command({ userId, deviceId, name: profile?.name }, message);
  }

  async #watch(socket: WebSocket, { userIds }: PresenceWatch): Promise<ServerMessage[]> {
    this.#parts.sockets.watch(socket, userIds);
    const { userId } = this.#core.user();
    const presences = await Promise.all(userIds.map((id) => this.#env.USERS.getByName(id).watch(userId)));
    return presences.map((presence) => ({ type: "presence", ...presence }));
  }
}
