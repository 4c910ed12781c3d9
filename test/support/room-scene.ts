import type { ClientMessageInput } from "../../schema/client-messages.ts";
import type { ServerMessageOf } from "../../schema/server-messages.ts";
import { type Person, person, WorkerdDevice } from "./workerd-device.ts";

/** Ada, Bob and Cid in a group call, each with one device on a call socket. */
export class RoomScene {
  static readonly #begun: RoomScene[] = [];
  readonly ada: WorkerdDevice;
  readonly bob: WorkerdDevice;
  readonly cid: WorkerdDevice;
  callId = "";

  private constructor(people: readonly [Person, Person, Person]) {
    const [ada, bob, cid] = people;
    this.ada = new WorkerdDevice(ada);
    this.bob = new WorkerdDevice(bob);
    this.cid = new WorkerdDevice(cid);
  }

  static async begin(): Promise<RoomScene> {
    const scene = new RoomScene([await person("Ada"), await person("Bob"), await person("Cid")]);
    for (const device of scene.devices) await device.connect();
    RoomScene.#begun.push(scene);
    return scene;
  }

  /** Everybody has answered. */
  static async talking(): Promise<RoomScene> {
    const scene = await RoomScene.begin();
    await scene.calls("group", scene.bob, scene.cid);
    for (const device of [scene.bob, scene.cid]) await device.ask({ type: "call_answer", callId: scene.callId });
    return scene;
  }

  get devices(): readonly WorkerdDevice[] {
    return [this.ada, this.bob, this.cid];
  }

  async calls(callType: "group" | "video", ...callees: WorkerdDevice[]): Promise<void> {
    const calleeIds = callees.map((device) => device.person.userId);
    const initiate: ClientMessageInput = {
      type: "call_initiate",
      idempotencyKey: crypto.randomUUID(),
      calleeIds,
      callType,
    };
    const reply = await this.ada.ask({ ...initiate, sdp: "offer" });
    if (reply.type !== "call_initiated") throw new Error(`no call: ${reply.type}`);
    this.callId = reply.callId;
    for (const device of callees) await device.next("incoming_call");
  }

  /** @returns the reply, or the error */
  async joins(device: WorkerdDevice, more: { epoch?: number; muted?: ["microphone"] } = {}) {
    const { callId } = this;
    return device.ask({
      type: "room_join",
      callId,
      sdp: "offer",
      tracks: [{ mid: "0", source: "microphone" }],
      ...more,
    });
  }

  async joined(device: WorkerdDevice): Promise<ServerMessageOf<"room_joined">> {
    const reply = await this.joins(device);
    if (reply.type !== "room_joined") throw new Error(`not joined: ${JSON.stringify(reply)}`);
    return reply;
  }

  async allJoin(): Promise<void> {
    for (const device of this.devices) await this.joined(device);
  }

  /** So that nothing looks for a node for them any more. */
  static async endAll(): Promise<void> {
    for (const scene of RoomScene.#begun.splice(0)) await scene.end();
  }

  async end(): Promise<void> {
    for (const device of this.devices) {
      await device.reconnect();
      await device.ask({ type: "call_end", callId: this.callId });
    }
  }

  /** The devices' own call sockets, beside their user sockets. */
  get socketPath(): string {
    return `/calls/${this.callId}/ws`;
  }
}
