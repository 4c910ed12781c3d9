import { exports } from "cloudflare:workers";
import { DevTokenResponse } from "../../schema/http.ts";
import type { ServerMessageOf } from "../../schema/server-messages.ts";
import { Listener } from "./listener.ts";

const ORIGIN = "http://switchboard.test";

export interface Person {
  readonly userId: string;
  readonly token: string;
}

export async function person(name: string): Promise<Person> {
  const request = new Request(`${ORIGIN}/api/dev/token`, { method: "POST", body: JSON.stringify({ name }) });
  return DevTokenResponse.parse(await (await exports.default.fetch(request)).json());
}

/** A device of a user inside workerd; its socket may be closed under it, and it comes back. */
export class WorkerdDevice extends Listener {
  readonly person: Person;
  readonly deviceId: string;
  #socket: WebSocket | null = null;
  #seq: number | undefined;

  constructor(owner: Person, deviceId: string = crypto.randomUUID()) {
    super();
    this.person = owner;
    this.deviceId = deviceId;
  }

  async connect(path = "/ws"): Promise<ServerMessageOf<"registered">> {
    await this.dial(path);
    const since = this.#seq === undefined ? {} : { since: this.#seq };
    this.send({ type: "register", deviceId: this.deviceId, deviceType: "Web", ...since });
    const registered = await this.next("registered");
    this.#seq = registered.seq;
    return registered;
  }

  /** Opens a socket on which it has said nothing yet. */
  async dial(path = "/ws"): Promise<void> {
    const headers = { upgrade: "websocket", authorization: `Bearer ${this.person.token}` };
    const { webSocket } = await exports.default.fetch(new Request(`${ORIGIN}${path}`, { headers }));
    if (!webSocket) throw new Error("the upgrade was refused");
    this.closed = null;
    this.#socket = webSocket;
    webSocket.accept();
    webSocket.addEventListener("message", ({ data }) => this.hear(String(data)));
    webSocket.addEventListener("close", ({ code, reason }) => this.hasClosed(code, reason));
  }

  /** Comes back after its socket was closed; a socket that is still open stays. */
  async reconnect(path = "/ws"): Promise<void> {
    if (this.closed) await this.connect(path);
  }

  /** The network goes: nothing that is said to the device from now on arrives. */
  async loses(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1001);
    await this.untilClosed();
  }

  async comesBack(): Promise<void> {
    await this.connect();
  }

  /** Whether it is in a call, as far as it has heard. */
  isInCall(): boolean {
    return this.heard.reduce((isIn, message) => {
      switch (message.type) {
        case "call_initiated":
          return true;
        case "call_connected":
          return isIn || message.answeredBy.deviceId === this.deviceId;
        case "call_handed_off":
          return message.userId === this.person.userId ? message.deviceId === this.deviceId : isIn;
        case "registered":
          return message.calls.some(({ state, participants }) => {
            const me = participants.find(({ userId }) => userId === this.person.userId);
            return state !== "ended" && me?.deviceId === this.deviceId;
          });
        case "call_ended":
        case "call_merged":
          return false;
        case "recover":
          return message.action !== "leave";
        default:
          return isIn;
      }
    }, false);
  }

  async disconnect(): Promise<void> {
    this.#socket?.close(1000);
    await this.untilClosed();
  }

  override sendRaw(frame: string): void {
    this.#socket?.send(frame);
  }

  /** Whether it still rings for a call, as a user would hear it. */
  rings(): boolean {
    return this.heard.reduce((ringing, message) => {
      switch (message.type) {
        case "incoming_call":
          return true;
        case "registered":
          return message.calls.some(({ state }) => ringing && (state === "reaching" || state === "ringing"));
        case "call_cancelled":
        case "call_connected":
        case "already_answered":
        case "call_ended":
        case "call_declined":
          return false;
        default:
          return ringing;
      }
    }, false);
  }
}
