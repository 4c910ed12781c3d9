import type { ClientMessageInput, InCallMessage } from "../../../schema/client-messages.ts";
import type { ServerMessage, ServerMessageOf } from "../../../schema/server-messages.ts";
import { DeviceSocket } from "./device-socket.ts";
import { Radio } from "./network.ts";
import type { Person, World } from "./world.ts";

/** What is said of a call without waiting for a reply. */
export type Said = Extract<ClientMessageInput, { type: InCallMessage["type"] }>;

interface Pending {
  readonly message: ClientMessageInput;
  readonly callId: string | null;
}

export interface LineEvents {
  heard(message: ServerMessage): void;
  /** @param isUsers on the user socket, so that these are all of the user's calls */
  registered(calls: ServerMessageOf<"registered">["calls"], isUsers: boolean): void;
}

/** How many of the devices open a call's own socket. */
const TWO_SOCKETS = 0.8;
/** When what the server could not do is asked for again. */
const AGAIN_MS = 500;

/** A device's sockets, and the commands whose reply has not come: they are sent again with the same id. */
export class DeviceLine {
  readonly radio: Radio;
  readonly deviceId: string;
  readonly #world: World;
  readonly #person: Person;
  readonly #on: LineEvents;
  readonly #user: DeviceSocket;
  readonly #calls = new Map<string, DeviceSocket>();
  /** A client may hold a whole call on its user socket. */
  readonly #hasCallSockets: boolean;
  readonly #pending = new Map<string, Pending>();
  /** Commands without a reply, said while there was no socket. */
  readonly #queue: Said[] = [];
  #seq: number | undefined;

  constructor(world: World, person: Person, deviceId: string, on: LineEvents) {
    this.#world = world;
    this.#person = person;
    this.deviceId = deviceId;
    this.radio = new Radio(world.network);
    this.#on = on;
    this.#hasCallSockets = world.random.happens(TWO_SOCKETS);
    this.#user = this.#socket("/ws");
  }

  get isOnline(): boolean {
    return this.#user.isOpen;
  }

  attach(callId: string): void {
    if (this.#hasCallSockets && !this.#calls.has(callId)) this.#calls.set(callId, this.#socket(`/calls/${callId}/ws`));
  }

  detach(callId: string): void {
    this.#calls.get(callId)?.close();
    this.#calls.delete(callId);
  }

  request(message: ClientMessageInput, callId: string | null): void {
    const id = crypto.randomUUID();
    const pending = { message: { ...message, id }, callId };
    this.#pending.set(id, pending);
    this.#for(callId).send(pending.message);
  }

  say(message: Said): void {
    if (!this.#for(message.callId).send(message)) this.#queue.push(message);
  }

  /** The command of that id, while its reply has not come. */
  awaited(id: string | undefined): ClientMessageInput | undefined {
    return id === undefined ? undefined : this.#pending.get(id)?.message;
  }

  /** The id of a command of that type whose reply has not come. */
  awaiting(type: ClientMessageInput["type"]): string | undefined {
    return [...this.#pending].find(([, { message }]) => message.type === type)?.[0];
  }

  /** Whether something has been asked of the call whose reply has not come. */
  isAwaiting(callId: string, type?: ClientMessageInput["type"]): boolean {
    return [...this.#pending.values()].some(
      (pending) => pending.callId === callId && (type === undefined || pending.message.type === type),
    );
  }

  #heard(message: ServerMessage): void {
    this.#on.heard(message);
    const id = "re" in message ? message.re : undefined;
    if (id === undefined) return;
    if (message.type !== "error" || message.code !== "internal") this.#pending.delete(id);
    else this.#world.clock.after(AGAIN_MS, () => this.#resend(this.#pending.get(id)));
  }

  #resend(pending: Pending | undefined): void {
    if (pending) this.#for(pending.callId).send(pending.message);
  }

  #registered({ seq, calls }: ServerMessageOf<"registered">, isUsers: boolean): void {
    if (isUsers) this.#seq = seq;
    if (isUsers) for (const message of this.#queue.splice(0)) this.say(message);
    for (const pending of this.#pending.values()) this.#resend(pending);
    this.#on.registered(calls, isUsers);
  }

  #socket(path: string): DeviceSocket {
    const isUsers = path === "/ws";
    return new DeviceSocket({
      world: this.#world,
      radio: this.radio,
      person: this.#person,
      path,
      register: () => {
        const since = this.#seq === undefined || !isUsers ? {} : { since: this.#seq };
        return { type: "register", deviceId: this.deviceId, deviceType: "Web", ...since };
      },
      onRegistered: (message) => this.#registered(message, isUsers),
      onMessage: (message) => this.#heard(message),
    });
  }

  /** What is said of a call goes over its own socket while that is open. */
  #for(callId: string | null): DeviceSocket {
    const own = callId === null ? undefined : this.#calls.get(callId);
    return own?.isOpen ? own : this.#user;
  }
}
