import { randomUUID } from "node:crypto";
import type { ServerMessageOf } from "../../schema/server-messages.ts";
import type { Device } from "./device.ts";
import type { Edge, Person } from "./edge.ts";

/** Ada, who calls, and Bob, who has a phone, a tablet and a laptop; all connected. */
export interface Scene {
  readonly ada: Person;
  readonly bob: Person;
  readonly caller: Device;
  readonly phone: Device;
  readonly tablet: Device;
  readonly laptop: Device;
}

export async function scene(edge: Edge): Promise<Scene> {
  const [ada, bob] = await Promise.all([edge.person("Ada"), edge.person("Bob")]);
  const [caller, phone, tablet, laptop] = await Promise.all([
    edge.device(ada),
    edge.device(bob),
    edge.device(bob),
    edge.device(bob),
  ]);
  return { ada, bob, caller, phone, tablet, laptop };
}

/** Ada calls Bob, and all his devices ring. */
export async function ring({ bob, caller, phone, tablet, laptop }: Scene): Promise<string> {
  const { callId } = await initiate(caller, bob.userId);
  await Promise.all([phone, tablet, laptop].map((device) => device.next("incoming_call", (m) => m.callId === callId)));
  return callId;
}

export async function initiate(
  caller: Device,
  calleeId: string,
  idempotencyKey: string = randomUUID(),
): Promise<ServerMessageOf<"call_initiated">> {
  caller.send({ type: "call_initiate", idempotencyKey, calleeIds: [calleeId], callType: "video", sdp: "offer" });
  return caller.next("call_initiated");
}

/** Bob answers on his phone, and Ada knows. */
export async function connect(people: Scene): Promise<string> {
  const callId = await ring(people);
  people.phone.send({ type: "call_answer", callId, sdp: "answer" });
  await Promise.all([people.phone.next("call_connected"), people.caller.next("call_connected")]);
  return callId;
}
