import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../schema/errors.ts";
import { parseServerFrame, ServerMessage } from "../../schema/server-messages.ts";

const CALL = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
const ADA = "2ed6657d-e927-568b-95e1-2665a8aea6a2";
const BOB = "919108f7-52d1-4320-9bac-f847db4148a8";
const PHONE = "c232ab00-9414-11ec-b3c8-9f6bdeced846";
const CALLER = `"caller":{"userId":"${ADA}","name":"Ada","deviceId":"${PHONE}"}`;
const ANSWERED_BY = `"answeredBy":{"userId":"${BOB}","deviceId":"${PHONE}"}`;
const FROM = `"from":{"userId":"${BOB}","deviceId":"${PHONE}"}`;
const ABOUT = `"callId":"${CALL}","rev":3`;
const PEOPLE = `"participants":[{"userId":"${BOB}","name":"Bob","state":"joined"}]`;
const LIVE = `${ABOUT},"callType":"video","state":"connected",${CALLER},${PEOPLE},"createdAt":"2026-11-23T01:02:03.004Z"`;

/** What servers send, letter by letter: clients in the field read exactly this. */
const WIRE: Record<ServerMessage["type"], readonly string[]> = {
  room_pairing: [`{"type":"room_pairing",${ABOUT},"connectionId":"pair-2","offer":true,"deadlineMs":15000}`],
  room_pairing_failed: [`{"type":"room_pairing_failed",${ABOUT},"connectionId":"pair-2"}`],
  room_closed: [`{"type":"room_closed",${ABOUT},"epoch":1,"connectionId":"pair-2"}`],
  registered: [
    `{"type":"registered","re":"1","userId":"${BOB}","deviceId":"${PHONE}","seq":4,"heartbeatMs":20000,"calls":[]}`,
    `{"type":"registered","userId":"${BOB}","deviceId":"${PHONE}","seq":0,"heartbeatMs":20000,"calls":[{${LIVE}}]}`,
  ],
  call_initiated: [`{"type":"call_initiated","re":"1",${ABOUT},"deduplicated":false,"state":"reaching"}`],
  incoming_call: [
    `{"type":"incoming_call",${ABOUT},${CALLER},"callType":"video","sdp":"v=0","remainingMs":30000}`,
    `{"type":"incoming_call",${ABOUT},${CALLER},"callType":"audio","remainingMs":3000}`,
  ],
  call_ringing: [`{"type":"call_ringing",${ABOUT},"userId":"${BOB}","devices":2}`],
  call_connected: [
    `{"type":"call_connected","re":"1",${ABOUT},${ANSWERED_BY}}`,
    `{"type":"call_connected",${ABOUT},${ANSWERED_BY},"sdp":"v=0"}`,
  ],
  already_answered: [`{"type":"already_answered","re":"1",${ABOUT},${ANSWERED_BY}}`],
  call_not_found: [`{"type":"call_not_found","re":"1","callId":"${CALL}"}`],
  call_declined: [`{"type":"call_declined","re":"1",${ABOUT},"reason":"busy"}`, `{"type":"call_declined",${ABOUT}}`],
  call_cancelled: [
    ...[
      "answered_elsewhere",
      "declined_elsewhere",
      "caller_hung_up",
      "timed_out",
      "handed_off",
      "glare_merged",
      "failed",
    ].map((reason) => `{"type":"call_cancelled",${ABOUT},"reason":"${reason}"}`),
    `{"type":"call_cancelled",${ABOUT},"reason":"answered_elsewhere","byDevice":"${PHONE}"}`,
  ],
  call_ended: [
    ...["completed", "missed", "declined", "busy", "cancelled", "unreachable", "failed", "blocked"].map(
      (outcome) =>
        `{"type":"call_ended","re":"1",${ABOUT},"outcome":"${outcome}","reason":"hung_up","durationSeconds":61}`,
    ),
  ],
  call_state: [
    `{"type":"call_state","re":"1",${LIVE},"remainingMs":12,${ANSWERED_BY},"connectedAt":"2026-11-23T01:02:04.004Z","sdp":"v=0"}`,
    `{"type":"call_state",${LIVE.replace('"connected"', '"ended"')},"outcome":"failed","reason":"media_timeout","durationSeconds":0}`,
    `{"type":"call_state",${LIVE},"room":{"epoch":2}}`,
  ],
  call_waiting: [
    `{"type":"call_waiting",${ABOUT},${CALLER},"callType":"video","sdp":"v=0","remainingMs":30000}`,
    `{"type":"call_waiting",${ABOUT},${CALLER},"callType":"audio","remainingMs":3000}`,
  ],
  call_held: [`{"type":"call_held",${ABOUT},"on":true,"userId":"${BOB}"}`],
  call_handoff_ready: [`{"type":"call_handoff_ready","re":"1",${ABOUT},"deviceId":"${PHONE}"}`],
  call_handed_off: [`{"type":"call_handed_off",${ABOUT},"userId":"${BOB}","deviceId":"${PHONE}"}`],
  call_handoff_failed: [`{"type":"call_handoff_failed",${ABOUT},"deviceId":"${PHONE}"}`],
  call_elsewhere: [
    `{"type":"call_elsewhere",${ABOUT},"deviceId":"${PHONE}","callType":"video","state":"connected"}`,
    `{"type":"call_elsewhere",${ABOUT},"deviceId":"${PHONE}","callType":"video","state":"ended","wanted":true}`,
  ],
  call_merged: [
    `{"type":"call_merged",${ABOUT},"into":"${CALL}","callType":"audio","sdp":"v=0"}`,
    `{"type":"call_merged",${ABOUT},"into":"${CALL}","callType":"video"}`,
  ],
  participant_joined: [`{"type":"participant_joined",${ABOUT},"userId":"${BOB}","name":"Bob","deviceId":"${PHONE}"}`],
  participant_left: [`{"type":"participant_left",${ABOUT},"userId":"${BOB}"}`],
  participant_updated: [
    `{"type":"participant_updated",${ABOUT},"userId":"${BOB}","name":"Bob","state":"declined"}`,
    `{"type":"participant_updated",${ABOUT},"userId":"${BOB}","name":"Bob","state":"joined","participantId":"p1","deviceId":"${PHONE}","tracks":[{"source":"camera","muted":true}]}`,
  ],
  room_joined: [
    `{"type":"room_joined","re":"1",${ABOUT},"epoch":2,"participantId":"p1","sdp":"v=0","participants":[{"participantId":"p1","userId":"${BOB}","deviceId":"${PHONE}","name":"Bob","tracks":[{"source":"microphone","muted":false}]}],"tracks":[]}`,
  ],
  renegotiate: [
    `{"type":"renegotiate",${ABOUT},"epoch":2,"negotiationId":7,"sdp":"v=0","tracks":[{"mid":"s0","participantId":"p1","source":"screen_audio"}]}`,
  ],
  renegotiate_answer: [
    `{"type":"renegotiate_answer","re":"1",${ABOUT},"epoch":2,"sdp":"v=0","tracks":[{"mid":"s0","participantId":"p1","source":"screen"}]}`,
  ],
  dominant_speaker_changed: [
    `{"type":"dominant_speaker_changed",${ABOUT},"userId":"${BOB}","deviceId":"${PHONE}","participantId":"p1"}`,
  ],
  video_wanted: [
    `{"type":"video_wanted",${ABOUT},"epoch":2,"source":"camera","height":180}`,
    `{"type":"video_wanted",${ABOUT},"epoch":2,"source":"screen","height":null}`,
  ],
  room_moved: [`{"type":"room_moved",${ABOUT},"epoch":3,"deadlineMs":10000}`],
  recover: ["resume", "rejoin", "leave"].map((action) => `{"type":"recover",${ABOUT},"action":"${action}"}`),
  token_refreshed: [`{"type":"token_refreshed","re":"1","expiresAt":"2026-11-23T01:02:03.004Z"}`],
  ice_candidate: [
    `{"type":"ice_candidate",${ABOUT},"candidates":[{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"u"}],"endOfCandidates":true,"connectionId":"c",${FROM}}`,
    `{"type":"ice_candidate",${ABOUT},"candidates":[],${FROM}}`,
  ],
  call_negotiate: [
    `{"type":"call_negotiate",${ABOUT},"sdp":"v=0","sdpType":"answer","connectionId":"c",${FROM}}`,
    `{"type":"call_negotiate",${ABOUT},"sdp":"v=0","sdpType":"offer",${FROM}}`,
  ],
  presence: [
    `{"type":"presence","userId":"${BOB}","status":"online","lastSeen":"2026-11-23T01:02:03.004Z"}`,
    `{"type":"presence","userId":"${BOB}","status":"offline","lastSeen":null}`,
  ],
  error: [
    ...ErrorCode.options.map((code) => `{"type":"error","code":"${code}","message":"why"}`),
    `{"type":"error","re":"1","code":"rate_limited","message":"why","callId":"${CALL}","retryAfterMs":1500}`,
  ],
};

describe("[WIRE-1] what a server sends", () => {
  test.each(Object.entries(WIRE).flatMap(([type, frames]) => frames.map((frame) => [type, frame] as const)))(
    "%s is understood to the last field: %s",
    (type, frame) => {
      const message = parseServerFrame(frame);
      expect(message?.type).toBe(type);
      expect(JSON.stringify(message)).toBe(frame);
    },
  );

  test("no type is left out here", () => {
    const types = ServerMessage.options.map((option) => option.shape.type.value);
    expect(Object.keys(WIRE).sort()).toEqual([...types].sort());
  });
});

describe("[WIRE-4] what a newer server sends", () => {
  test.each([
    ["an unknown type", `{"type":"call_teleported",${ABOUT}}`],
    ["a reason of its own", `{"type":"call_cancelled",${ABOUT},"reason":"teleported"}`],
    ["a pong", "pong"],
    ["no JSON", "<html>"],
    ["no object", "[]"],
    ["a time that is none", `{"type":"presence","userId":"${BOB}","status":"online","lastSeen":"yesterday"}`],
  ])("%s is ignored, not misread", (_title, frame) => {
    expect(parseServerFrame(frame)).toBeUndefined();
  });

  test("unknown fields are left out", () => {
    expect(parseServerFrame(`{"type":"call_not_found","callId":"${CALL}","new":1}`)).toEqual({
      type: "call_not_found",
      callId: CALL,
    });
  });
});
