import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { MAX_CALLEES, MAX_CANDIDATE, MAX_CANDIDATES, MAX_FRAME, MAX_SDP, MAX_WATCHED } from "../../../schema/limits.ts";
import { MAX_SENT_TRACKS } from "../../../schema/room.ts";
import { anything, CANARY, LOADED, notName, notText, notUuid, sample, text } from "./values.ts";

/** A frame that is refused, and how. */
export interface BadFrame {
  readonly frame: string | Buffer;
  readonly code: "bad_message" | "unsupported" | "too_large";
  /** The id that the refusal repeats, where the frame has a good one. */
  readonly re?: string;
}

interface Field {
  readonly good: unknown;
  readonly bad: fc.Arbitrary<unknown>;
  readonly isNeeded: boolean;
}

const needed = (good: unknown, bad: fc.Arbitrary<unknown>): Field => ({ good, bad, isNeeded: true });
const optional = (good: unknown, bad: fc.Arbitrary<unknown>): Field => ({ good, bad, isNeeded: false });

const oneTooMany = (max: number, item: unknown) => fc.constant(Array(max + 1).fill(item));
const notCandidate = fc.oneof(
  anything,
  fc.record({ candidate: notText }),
  fc.constant({ candidate: CANARY.repeat(MAX_CANDIDATE) }),
  fc.record({ candidate: fc.constant(""), sdpMLineIndex: fc.oneof(text, fc.integer({ max: -1 }), fc.constant(0.5)) }),
  fc.record({ candidate: fc.constant(""), sdpMid: fc.oneof(fc.integer(), fc.constant(CANARY.repeat(8))) }),
);
const notList = anything.filter((value) => !Array.isArray(value));

const isGiven = (value: unknown) => value !== undefined;

const id = randomUUID();
const callId = needed(id, notUuid);
const sdp = fc.oneof(notText, fc.constant(""));
const connectionId = optional("second", fc.oneof(notText, fc.constantFrom("", CANARY.repeat(8))));

const notMs = fc.oneof(text, fc.constantFrom(-1, 0.5, null, 3_600_001), fc.array(fc.integer()));
const notEpoch = fc.oneof(text, fc.constantFrom(0, -1, 1.5, null), fc.array(fc.integer()));
const notMid = fc.oneof(notText, fc.constantFrom("", "a b", CANARY.repeat(8)));
const notSource = fc.oneof(anything, fc.constantFrom("camera ", "Microphone", "desktop"));
const notSentTrack = fc.oneof(
  anything,
  fc.record({ mid: notMid, source: fc.constant("camera") }),
  fc.record({ mid: fc.constant("0"), source: notSource }),
);
const tracks = optional(
  [],
  fc.oneof(
    notList,
    notSentTrack.map((bad) => [bad]),
    oneTooMany(MAX_SENT_TRACKS, { mid: "0", source: "camera" }),
  ),
);
const muted = optional(
  [],
  fc.oneof(
    notList,
    notSource.map((bad) => ["camera", bad]),
  ),
);
const notVideoRequest = fc.oneof(
  anything,
  fc.record({ participantId: fc.oneof(notText, fc.constantFrom("", "a b", CANARY.repeat(8))), height: fc.constant(1) }),
  fc.record({ participantId: fc.constant("p"), height: fc.oneof(text, fc.constantFrom(-1, 0.5, 5_000)) }),
);

/** Every command as it should be, and how each of its fields should not. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  register: {
    deviceId: needed(id, notUuid),
    deviceType: needed("Web", anything),
    deviceName: optional("phone", notName),
    push: optional(
      { provider: "fcm", token: "t" },
      fc.oneof(anything, fc.record({ provider: anything, token: text }), fc.record({ provider: fc.constant("fcm") })),
    ),
    since: optional(0, fc.oneof(text, fc.integer({ max: -1 }), fc.constant(1.5), fc.constant(null))),
    rtts: optional(
      [{ region: "eu", ms: 1 }],
      fc.oneof(notList, fc.constantFrom([{ region: "", ms: 1 }], [{ region: "eu", ms: -1 }])),
    ),
  },
  call_initiate: {
    idempotencyKey: needed("k", fc.oneof(notText, fc.constantFrom("", CANARY.repeat(15)))),
    calleeIds: needed(
      [id],
      fc.oneof(
        notList,
        notUuid.map((bad) => [id, bad]),
        fc.constant([]),
        oneTooMany(MAX_CALLEES, id),
      ),
    ),
    callType: needed("video", anything),
    sdp: optional("v=0", sdp),
  },
  presence_watch: {
    userIds: needed(
      [id],
      fc.oneof(
        notList,
        notUuid.map((bad) => [bad]),
        oneTooMany(MAX_WATCHED, id),
      ),
    ),
  },
  call_alerting: { callId },
  call_answer: { callId, sdp: optional("v=0", sdp) },
  call_decline: { callId, reason: optional("busy", anything) },
  ice_candidate: {
    callId,
    candidates: optional(
      [],
      fc.oneof(
        notList,
        notCandidate.map((bad) => [{ candidate: "" }, bad]),
        oneTooMany(MAX_CANDIDATES, { candidate: "" }),
      ),
    ),
    candidate: optional({ candidate: "" }, notCandidate),
    endOfCandidates: optional(true, fc.oneof(text, fc.constantFrom(0, 1, null, "true"))),
    connectionId,
  },
  call_negotiate: { callId, sdp: needed("v=0", sdp), sdpType: needed("offer", anything), connectionId },
  call_media: {
    callId,
    state: needed("connected", anything),
    connectionId,
    candidateType: optional("host", anything),
    remoteCandidateType: optional("host", anything),
    protocol: optional("udp", anything),
    relayProtocol: optional("tls", anything),
    rttMs: optional(20, notMs),
    setup: optional(
      { firstFrameMs: 900 },
      notMs.map((firstFrameMs) => ({ firstFrameMs })),
    ),
  },
  call_hold: {
    callId,
    on: needed(
      true,
      anything.filter((value) => typeof value !== "boolean"),
    ),
  },
  call_handoff: { callId, sdp: optional("v=0", sdp), toDeviceId: optional(id, notUuid.filter(isGiven)), connectionId },
  call_invite: {
    callId,
    calleeIds: needed(
      [id],
      fc.oneof(
        notList,
        notUuid.map((bad) => [bad]),
        fc.constant([]),
        oneTooMany(MAX_CALLEES, id),
      ),
    ),
  },
  room_join: { callId, sdp: needed("v=0", sdp), epoch: optional(1, notEpoch), tracks, muted },
  renegotiate: { callId, sdp: needed("v=0", sdp), epoch: needed(1, notEpoch), tracks },
  renegotiate_answer: {
    callId,
    sdp: needed("v=0", sdp),
    epoch: needed(1, notEpoch),
    negotiationId: optional(1, notEpoch),
  },
  room_update: {
    callId,
    muted,
    wants: optional(
      [],
      fc.oneof(
        notList,
        notVideoRequest.map((bad) => [bad]),
      ),
    ),
  },
  token_refresh: { token: needed("t", fc.oneof(notText, fc.constant(""))) },
  call_sync: { callId },
  call_end: { callId },
};

const commandId = fc.constant(null).map(() => randomUUID());
const extra = fc.dictionary(fc.oneof(text, fc.constantFrom(...LOADED)), anything, {
  maxKeys: 2,
  noNullPrototype: true,
});

function good(type: string): Record<string, unknown> {
  const fields = Object.entries(COMMANDS[type] ?? {}).map(([name, field]) => [name, field.good] as const);
  return { type, ...Object.fromEntries(fields) };
}

/** One field of a good command is of the wrong kind or size, or is missing. */
const wrongField: fc.Arbitrary<BadFrame> = fc.constantFrom(...Object.entries(COMMANDS)).chain(([type, fields]) =>
  fc.constantFrom(...Object.entries(fields)).chain(([name, field]) => {
    const bad = field.isNeeded ? fc.option(field.bad, { nil: undefined, freq: 6 }) : field.bad;
    return fc.record({ bad, re: commandId, extra }).map(({ bad: value, re, extra: more }) => {
      const frame = JSON.stringify({ ...more, ...good(type), id: re, [name]: value });
      return { frame, code: "bad_message" as const, re };
    });
  }),
);

/** The command is good but for its id, which can therefore not be repeated. */
const wrongId: fc.Arbitrary<BadFrame> = fc
  .record({
    type: fc.constantFrom(...Object.keys(COMMANDS)),
    id: fc.oneof(notText, fc.constantFrom("", CANARY.repeat(8))),
  })
  .map(({ type, id: bad }) => ({ frame: JSON.stringify({ ...good(type), id: bad }), code: "bad_message" }));

const unknownType: fc.Arbitrary<BadFrame> = fc
  .record({
    type: fc.oneof(
      text,
      fc.constantFrom(...LOADED, "", "ping", "Register", "call_end ", "registered", "error", "\ud800"),
    ),
    re: commandId,
    extra,
  })
  .map(({ type, re, extra: more }) => ({ frame: JSON.stringify({ ...more, id: re, type }), code: "unsupported", re }));

/** A frame without an object, or an object without a type. */
const noMessage: fc.Arbitrary<BadFrame> = fc
  .oneof(
    text,
    anything.map((value) => JSON.stringify(value)),
    fc.json().map((json) => `[${json}]`),
    notText.map((type) => JSON.stringify({ type, id: randomUUID() })),
    extra.map((fields) => JSON.stringify({ ...fields, callId: id })),
    fc.constantFrom(...Object.keys(COMMANDS)).chain((type) => {
      const frame = JSON.stringify(good(type));
      return fc.nat({ max: frame.length - 1 }).map((end) => frame.slice(0, end));
    }),
    fc.constantFrom(...Object.keys(COMMANDS)).map((type) => `${JSON.stringify(good(type))}}`),
  )
  .map((frame) => ({ frame, code: "bad_message" }));

const binary: fc.Arbitrary<BadFrame> = fc
  .oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(...Object.keys(COMMANDS)).map((type) => Buffer.from(JSON.stringify(good(type)))),
    fc.constant(Buffer.from("ping")),
  )
  .map((frame) => ({ frame, code: "bad_message" }));

const tooLarge: fc.Arbitrary<BadFrame> = fc
  .record({ re: commandId, size: fc.nat({ max: 300_000 }) })
  .chain(({ re, size }) =>
    fc.constantFrom<BadFrame>(
      { frame: CANARY.padEnd(MAX_FRAME + 1 + size, "x"), code: "too_large" },
      { frame: JSON.stringify({ ...good("call_end"), id: re, padding: "x".repeat(MAX_FRAME) }), code: "too_large" },
      ...["call_initiate", "call_answer", "call_negotiate"].map((type): BadFrame => {
        const sdp = "v".repeat(MAX_SDP + 1 + Math.floor(size / 4));
        return { frame: JSON.stringify({ ...good(type), id: re, sdp }), code: "too_large", re };
      }),
    ),
  );

const REPEATED = randomUUID();

/** Each for a reason of its own. */
export const NASTY: readonly BadFrame[] = [
  { frame: "", code: "bad_message" },
  { frame: " ping", code: "bad_message" },
  { frame: "PING", code: "bad_message" },
  { frame: "pong", code: "bad_message" },
  { frame: '"ping"', code: "bad_message" },
  { frame: "{}", code: "bad_message" },
  { frame: "NaN", code: "bad_message" },
  { frame: "\ufeff{}", code: "bad_message" },
  { frame: '{"type":"call_end","type":7}', code: "bad_message" },
  { frame: `{"__proto__":{"type":"call_end","callId":"${id}"}}`, code: "bad_message" },
  { frame: `{"type":"call_end","__proto__":{"callId":"${id}"}}`, code: "bad_message" },
  { frame: `{"type":"call_end","constructor":{"prototype":{"callId":"${id}"}}}`, code: "bad_message" },
  { frame: '{"type":"call_media","callId":"\\ud800","state":"\\udc00"}', code: "bad_message" },
  { frame: `{"type":"register","deviceId":"${id}","deviceType":"Web","deviceName":"\\ud83d"}`, code: "bad_message" },
  { frame: `{"type":"register","deviceId":"${id}","deviceType":"Web","deviceName":"\\u0000"}`, code: "bad_message" },
  { frame: `{"type":"call_end","id":"${REPEATED}"}`, code: "bad_message", re: REPEATED },
  { frame: `{"type":"call_end","id":"${REPEATED}"}`, code: "bad_message", re: REPEATED },
  { frame: `{"type":"call_hum","id":"${REPEATED}"}`, code: "unsupported", re: REPEATED },
  { frame: "[".repeat(200_000), code: "bad_message" },
  { frame: '{"a":'.repeat(40_000), code: "bad_message" },
  { frame: `${"[".repeat(100_000)}${"]".repeat(100_000)}`, code: "bad_message" },
  {
    frame: `{"type":"presence_watch","userIds":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    code: "bad_message",
  },
  { frame: `{"type":"call_end","callId":${"9".repeat(200_000)}}`, code: "bad_message" },
  { frame: `{"type":"call_end","id":1e999,"callId":"${id}"}`, code: "bad_message" },
  { frame: "x".repeat(MAX_FRAME + 1), code: "too_large" },
  { frame: "x".repeat(1024 * 1024), code: "too_large" },
  { frame: "\u20ac".repeat(MAX_FRAME + 1), code: "too_large" },
  { frame: Buffer.alloc(MAX_FRAME * 2), code: "bad_message" },
];

export function badFrames(): BadFrame[] {
  return [
    ...NASTY,
    ...sample(wrongField, 800),
    ...sample(wrongId, 80),
    ...sample(unknownType, 150),
    ...sample(noMessage, 250),
    ...sample(binary, 80),
    ...sample(tooLarge, 40),
  ];
}
