import { once } from "node:events";
import WebSocket from "ws";
import type { ClientMessageInput } from "../../schema/client-messages.ts";
import type { ReceivedTrack } from "../../schema/room.ts";
import { parseServerFrame, type ServerMessage } from "../../schema/server-messages.ts";
import { Queue } from "../../sfu-node/room/queue.ts";
import type { Edge, Person } from "./edge.ts";
import type { Got, Stack } from "./stack-participant.ts";

/** Somebody in a call of the real edge, with a WebRTC stack that is no browser: it does as the room's messages say. */
export class StackInCall {
  readonly name: string;
  readonly heard: ServerMessage[] = [];
  participantId = "";
  readonly #socket: WebSocket;
  readonly #open: () => Stack;
  readonly #queue = new Queue();
  #stack: Stack;
  #callId = "";
  #tracks: readonly ReceivedTrack[] = [];

  private constructor(name: string, socket: WebSocket, open: () => Stack) {
    this.name = name;
    this.#socket = socket;
    this.#open = open;
    this.#stack = open();
    socket.on("message", (data) => this.#hear(data.toString()));
    socket.on("error", () => {});
  }

  /** On a call socket, where it says how far it is from each region. */
  static async open(
    { edge, person, deviceId, callId }: { edge: Edge; person: Person; deviceId: string; callId: string },
    rtts: Readonly<Record<string, number>>,
    open: () => Stack,
  ): Promise<StackInCall> {
    const socket = new WebSocket(`${edge.ws}/calls/${callId}/ws`, ["switchboard.v1", `bearer.${person.token}`]);
    const one = new StackInCall(person.name, socket, open);
    one.#callId = callId;
    await once(socket, "open");
    const measured = Object.entries(rtts).map(([region, ms]) => ({ region, ms }));
    const registered = one.#next("registered");
    one.#send({ type: "register", deviceId, deviceType: "Web", rtts: measured });
    await registered;
    return one;
  }

  answer(): void {
    this.#send({ type: "call_answer", callId: this.#callId });
  }

  join(): void {
    this.#act(async () => this.#join());
  }

  /** What of each of the others' tracks has arrived. */
  async got(): Promise<Got[]> {
    const received = await this.#stack.received();
    return this.#tracks.map(({ mid, participantId, source }) => {
      const { packets = 0, frames = 0 } = received.get(mid) ?? {};
      return { participantId, source, packets, frames };
    });
  }

  async close(): Promise<void> {
    this.#socket.terminate();
    await this.#stack.close();
  }

  async #next(type: ServerMessage["type"]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.on("message", (data) => parseServerFrame(data.toString())?.type === type && resolve());
    return promise;
  }

  #send(message: ClientMessageInput): void {
    this.#socket.send(JSON.stringify(message));
  }

  async #join(): Promise<void> {
    this.#send({ type: "room_join", callId: this.#callId, sdp: await this.#stack.offer() });
  }

  #hear(frame: string): void {
    const message = parseServerFrame(frame);
    if (!message) return;
    this.heard.push(message);
    this.#act(() => this.#take(message));
  }

  #act(act: () => Promise<void>): void {
    void this.#queue.run(act);
  }

  async #take(message: ServerMessage): Promise<void> {
    switch (message.type) {
      case "room_joined":
        this.participantId = message.participantId;
        this.#tracks = message.tracks;
        return this.#stack.takeAnswer(message.sdp);
      case "renegotiate": {
        const { epoch, negotiationId, sdp, tracks = [] } = message;
        this.#tracks = tracks;
        const answer = await this.#stack.answer(sdp);
        return this.#send({ type: "renegotiate_answer", callId: this.#callId, epoch, negotiationId, sdp: answer });
      }
      case "room_moved":
        return this.#rejoin();
      case "recover":
        return message.action === "rejoin" ? this.#rejoin() : undefined;
      default:
        return;
    }
  }

  async #rejoin(): Promise<void> {
    await this.#stack.close();
    this.#stack = this.#open();
    this.#tracks = [];
    return this.#join();
  }
}
