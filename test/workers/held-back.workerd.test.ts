import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { person, WorkerdDevice } from "../support/workerd-device.ts";

const CANDIDATE = "candidate:1 1 udp 2122260223 192.168.1.5 50000 typ host";
const OFFER = ["v=0", "m=audio 50000 UDP 111", "c=IN IP4 192.168.1.5", "a=mid:0", `a=${CANDIDATE}`, ""].join("\r\n");

describe("[ICE-6] what an offer said of the caller's addresses", () => {
  test.each(["/ws", "the call's socket"])("goes to who answers on %s, also after an eviction", async (path) => {
    const [ada, bob] = [await person("Ada"), await person("Bob")];
    const [caller, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
    await Promise.all([caller.connect(), phone.connect()]);
    const asked = { idempotencyKey: "1", calleeIds: [bob.userId], callType: "audio" as const, sdp: OFFER };
    caller.send({ type: "call_initiate", ...asked });
    const { callId } = await caller.next("call_initiated");
    const { sdp } = await phone.next("incoming_call");
    expect(sdp).toBe("v=0\r\nm=audio 50000 UDP 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n");

    await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "hibernate" });
    const answers = path === "/ws" ? phone : new WorkerdDevice(bob, phone.deviceId);
    if (answers !== phone) await answers.connect(`/calls/${callId}/ws`);
    await answers.ask({ type: "call_answer", callId, sdp: "answer" });
    const { candidates, from } = await answers.next("ice_candidate");
    expect(candidates).toEqual([{ candidate: CANDIDATE, sdpMid: "0", sdpMLineIndex: 0 }]);
    expect(from).toEqual({ userId: ada.userId, deviceId: caller.deviceId });
  });
});
