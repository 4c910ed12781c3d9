import { describe, expect, test } from "vitest";
import { parseClientFrame } from "../../schema/client-messages.ts";
import { MAX_CALLEES, MAX_CANDIDATE, MAX_CANDIDATES, MAX_FRAME, MAX_SDP, MAX_WATCHED } from "../../schema/limits.ts";

const CALL = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
const BOB = "919108f7-52d1-4320-9bac-f847db4148a8";

/** What clients in the field send, letter by letter: none of it may stop being understood. */
const WIRE: readonly [title: string, frame: string][] = [
  ["register, at least", `{"type":"register","deviceId":"${BOB}","deviceType":"Web"}`],
  [
    "register, with everything",
    `{"type":"register","id":"1","deviceId":"${BOB}","deviceType":"iPhone","deviceName":"Bob's","push":{"provider":"apns_voip","token":"t"},"since":7,"rtts":[{"region":"eu","ms":12.5}]}`,
  ],
  [
    "call_initiate",
    `{"type":"call_initiate","id":"1","idempotencyKey":"k","calleeIds":["${BOB}"],"callType":"video","sdp":"v=0"}`,
  ],
  [
    "call_initiate without a description",
    `{"type":"call_initiate","idempotencyKey":"k","calleeIds":["${BOB}"],"callType":"audio"}`,
  ],
  ["call_alerting", `{"type":"call_alerting","callId":"${CALL}"}`],
  ["call_answer", `{"type":"call_answer","id":"1","callId":"${CALL}","sdp":"v=0"}`],
  ["call_decline, busy", `{"type":"call_decline","id":"1","callId":"${CALL}","reason":"busy"}`],
  [
    "ice_candidate, several",
    `{"type":"ice_candidate","callId":"${CALL}","candidates":[{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"u"}],"endOfCandidates":true,"connectionId":"c"}`,
  ],
  [
    "ice_candidate, one as browsers write it",
    `{"type":"ice_candidate","callId":"${CALL}","candidate":{"candidate":"","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}}`,
  ],
  ["ice_candidate, only the end", `{"type":"ice_candidate","callId":"${CALL}","endOfCandidates":true}`],
  [
    "call_negotiate",
    `{"type":"call_negotiate","callId":"${CALL}","sdp":"v=0","sdpType":"offer","connectionId":"second"}`,
  ],
  ["call_media", `{"type":"call_media","callId":"${CALL}","state":"connected","candidateType":"srflx"}`],
  ["room_join, at least", `{"type":"room_join","callId":"${CALL}","sdp":"v=0"}`],
  [
    "room_join, with everything",
    `{"type":"room_join","id":"1","callId":"${CALL}","sdp":"v=0","epoch":2,"tracks":[{"mid":"0","source":"screen_audio"}],"muted":["microphone"]}`,
  ],
  [
    "renegotiate",
    `{"type":"renegotiate","id":"1","callId":"${CALL}","sdp":"v=0","epoch":2,"tracks":[{"mid":"0","source":"camera"}]}`,
  ],
  ["renegotiate_answer", `{"type":"renegotiate_answer","callId":"${CALL}","sdp":"v=0","epoch":2,"negotiationId":7}`],
  [
    "room_update",
    `{"type":"room_update","callId":"${CALL}","muted":["camera"],"wants":[{"participantId":"p1","source":"screen","height":720,"priority":2}]}`,
  ],
  ["call_sync", `{"type":"call_sync","id":"1","callId":"${CALL}"}`],
  ["call_end", `{"type":"call_end","id":"1","callId":"${CALL}"}`],
  ["presence_watch", `{"type":"presence_watch","id":"1","userIds":["${BOB}"]}`],
  ["presence_watch, nobody any more", `{"type":"presence_watch","userIds":[]}`],
];

function refusal(frame: string | ArrayBuffer) {
  const parsed = parseClientFrame(frame);
  return parsed.ok ? "accepted" : { re: parsed.re, ...parsed.refusal };
}

/** A frame of that type with a good id, and these fields. */
function frame(type: string, fields: object): string {
  return JSON.stringify({ type, id: "7", callId: CALL, ...fields });
}

describe("[WIRE-1] frames that are messages", () => {
  test.each(WIRE)("%s is understood to the last field", (_title, wire) => {
    const parsed = parseClientFrame(wire);
    expect(parsed.ok && JSON.stringify(parsed.message)).toBe(wire);
  });

  test("a decline without a reason is a plain one", () => {
    const parsed = parseClientFrame(`{"type":"call_decline","callId":"${CALL}"}`);
    expect(parsed).toEqual({ ok: true, message: { type: "call_decline", callId: CALL, reason: "declined" } });
  });

  test("ids come in any case and are read in lower case", () => {
    const parsed = parseClientFrame(`{"type":"call_end","callId":"${CALL.toUpperCase()}"}`);
    expect(parsed).toEqual({ ok: true, message: { type: "call_end", callId: CALL } });
  });

  test("[WIRE-4] unknown fields are ignored, also those that would change every object", () => {
    const parsed = parseClientFrame(`{"type":"call_end","callId":"${CALL}","__proto__":{"id":"x"},"new":[1]}`);
    expect(parsed).toEqual({ ok: true, message: { type: "call_end", callId: CALL } });
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect("id" in {}).toBe(false);
  });
});

describe("[WIRE-3] frames that are no messages", () => {
  test.each([
    ["nothing", ""],
    ["no JSON", "{type:'register'}"],
    ["half an object", `{"type":"register"`],
    ["a word", `"register"`],
    ["a number", "1"],
    ["null", "null"],
    ["a list", `[{"type":"call_end","callId":"${CALL}"}]`],
    ["no type", `{"callId":"${CALL}"}`],
    ["a type that is no string", `{"type":["call_end"],"callId":"${CALL}"}`],
    ["a type in a prototype", `{"__proto__":{"type":"call_end","callId":"${CALL}"}}`],
    ["a hundred thousand open lists", "[".repeat(100_000)],
  ])("%s", (_title, wire) => {
    expect(refusal(wire)).toEqual({
      re: undefined,
      code: "bad_message",
      message: "a frame is a JSON object with a string `type`",
    });
  });

  test("a binary frame, also one that holds a good message", () => {
    const bytes = new TextEncoder().encode(`{"type":"call_end","callId":"${CALL}"}`);
    expect(refusal(bytes.buffer)).toMatchObject({ code: "bad_message" });
  });

  test.each([
    ["callId is missing", `{"type":"call_end","id":"7"}`, "callId"],
    ["callId is no UUID", frame("call_end", { callId: "mine" }), "callId"],
    ["callId is null", frame("call_sync", { callId: null }), "callId"],
    ["the state is another", frame("call_media", { state: "up" }), "state"],
    ["the reason is another", frame("call_decline", { reason: "asleep" }), "reason"],
    ["the description is empty", frame("call_answer", { sdp: "" }), "sdp"],
    ["the description is null", frame("call_answer", { sdp: null }), "sdp"],
    [
      "nobody is called",
      frame("call_initiate", { idempotencyKey: "k", calleeIds: [], callType: "video" }),
      "calleeIds",
    ],
    ["the one called is no UUID", frame("presence_watch", { userIds: [BOB, "bob"] }), "userIds.1"],
    ["no candidate at all", frame("ice_candidate", {}), "candidates, candidate, removed or endOfCandidates"],
    ["a candidate that is text", frame("ice_candidate", { candidate: "candidate:1" }), "candidate"],
    [
      "a line that is none",
      frame("ice_candidate", { candidate: { candidate: "", sdpMLineIndex: -1 } }),
      "sdpMLineIndex",
    ],
    ["a device of another kind", frame("register", { deviceId: BOB, deviceType: "Phone" }), "deviceType"],
    [
      "half a surrogate pair",
      frame("register", { deviceId: BOB, deviceType: "Web", deviceName: "\ud800" }),
      "deviceName",
    ],
    ["NUL", frame("register", { deviceId: BOB, deviceType: "Web", deviceName: "a\0b" }), "deviceName"],
  ])("%s: the message names the field, and the reply goes to its command", (_title, wire, field) => {
    expect(refusal(wire)).toEqual({ re: "7", code: "bad_message", message: expect.stringContaining(field) });
  });

  test.each([
    ["a number", 7],
    ["empty", ""],
    ["too long", "7".repeat(65)],
    ["null", null],
  ])("an id that is %s is repeated by nobody", (_title, id) => {
    expect(refusal(JSON.stringify({ type: "call_end", callId: CALL, id }))).toMatchObject({
      re: undefined,
      code: "bad_message",
    });
  });
});

describe("[PUSH-1] a push token", () => {
  const keys = { p256dh: "B".repeat(87), auth: "A".repeat(22) };
  const register = (push: unknown) =>
    parseClientFrame(JSON.stringify({ type: "register", deviceId: BOB, deviceType: "Web", push }));
  const subscription = (endpoint: string) => JSON.stringify({ endpoint, expirationTime: null, keys });

  test.each([
    ["garbage", "garbage"],
    ["no endpoint", JSON.stringify({ keys })],
    ["no keys", JSON.stringify({ endpoint: "https://push.example.com/1" })],
    ["an endpoint that is no URL", subscription("push")],
  ])("of webpush is refused where it is no subscription: %s", (_title, token) => {
    expect(register({ provider: "webpush", token })).toMatchObject({
      ok: false,
      refusal: { code: "bad_message", message: "push.token: for webpush, the JSON of a PushSubscription" },
    });
  });

  test("may be as long as those of Edge and of FCM are", () => {
    const token = subscription(`https://wns2-par02p.notify.windows.com/w/?token=${"B".repeat(1_000)}`);
    expect(register({ provider: "webpush", token })).toMatchObject({ ok: true });
    expect(register({ provider: "fcm", token: "t".repeat(4_096) })).toMatchObject({ ok: true });
    expect(register({ provider: "fcm", token: "t".repeat(4_097) })).toMatchObject({ ok: false });
  });
});

describe("[WIRE-4] types that this server does not know", () => {
  test.each(["call_dance", "", "REGISTER", "__proto__", "constructor", "toString"])("%j", (type) => {
    expect(refusal(JSON.stringify({ type, id: "7" }))).toMatchObject({ re: "7", code: "unsupported" });
  });
});

describe("[WIRE-5] sizes", () => {
  const initiate = (sdp: string) =>
    frame("call_initiate", { idempotencyKey: "k", calleeIds: [BOB], callType: "video", sdp });
  const padded = (length: number) => {
    const bare = `{"type":"call_end","callId":"${CALL}"}`;
    return bare + " ".repeat(length - bare.length);
  };

  test("[ICE-1] a message of candidates holds 8,192 characters", () => {
    const candidates = (length: number) => {
      const bare = frame("ice_candidate", { endOfCandidates: true });
      return bare + " ".repeat(length - bare.length);
    };
    expect(refusal(candidates(8_192))).toBe("accepted");
    expect(refusal(candidates(8_193))).toMatchObject({ re: "7", code: "too_large" });
  });

  test("a frame of the largest size is read, and one character more is not", () => {
    expect(refusal(padded(MAX_FRAME))).toBe("accepted");
    expect(refusal(padded(MAX_FRAME + 1))).toMatchObject({ code: "too_large" });
  });

  test.each([
    ["call_initiate", initiate],
    ["call_answer", (sdp: string) => frame("call_answer", { sdp })],
    ["call_negotiate", (sdp: string) => frame("call_negotiate", { sdp, sdpType: "offer" })],
  ])("%s: a description of the largest size is read, and one character more is not", (_type, write) => {
    expect(refusal(write("v".repeat(MAX_SDP)))).toBe("accepted");
    expect(refusal(write("v".repeat(MAX_SDP + 1)))).toMatchObject({ re: "7", code: "too_large" });
  });

  test("the largest description fits a frame even where every character is written as two", () => {
    expect(refusal(initiate("\u2028\n".repeat(MAX_SDP / 2)))).toBe("accepted");
    expect(refusal(initiate('"'.repeat(MAX_SDP)))).toBe("accepted");
  });

  test.each([
    [
      "calleeIds",
      MAX_CALLEES,
      (n: number) => frame("call_initiate", { idempotencyKey: "k", callType: "group", calleeIds: Array(n).fill(BOB) }),
    ],
    ["userIds", MAX_WATCHED, (n: number) => frame("presence_watch", { userIds: Array(n).fill(BOB) })],
    [
      "candidates",
      MAX_CANDIDATES,
      (n: number) => frame("ice_candidate", { candidates: Array(n).fill({ candidate: "c" }) }),
    ],
    ["candidate", MAX_CANDIDATE, (n: number) => frame("ice_candidate", { candidate: { candidate: "c".repeat(n) } })],
  ])("%s: as many as may be, and no more", (field, max, write) => {
    expect(refusal(write(max))).toBe("accepted");
    expect(refusal(write(max + 1))).toMatchObject({ code: "bad_message", message: expect.stringContaining(field) });
  });
});
