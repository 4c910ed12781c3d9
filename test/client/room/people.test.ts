import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasOthers, hear, type People, peopleFrom, rows } from "../../../client/room/people.ts";
import type { RoomTrack } from "../../../schema/room.ts";
import type { ServerMessage, ServerMessageOf } from "../../../schema/server-messages.ts";

const callId = "0192a000-0000-7000-8000-000000000001";
const self = { userId: "alice", deviceId: "alices-laptop" };
const sends: RoomTrack[] = [
  { source: "camera", muted: false },
  { source: "microphone", muted: true },
];

function rung(...names: string[]): People {
  return peopleFrom(names.map((name) => ({ userId: name, name: capital(name), state: "invited" })));
}

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const about = { callId, rev: 3 };
const joins = (userId: string, deviceId = `${userId}s-phone`): ServerMessage => ({
  type: "participant_joined",
  ...about,
  userId,
  name: capital(userId),
  deviceId,
});
const leaves = (userId: string): ServerMessage => ({ type: "participant_left", ...about, userId });
const becomes = (
  userId: string,
  state: ServerMessageOf<"participant_updated">["state"],
): ServerMessageOf<"participant_updated"> => ({
  type: "participant_updated",
  ...about,
  userId,
  name: capital(userId),
  state,
});
const hasPlace = (
  userId: string,
  participantId: string,
  tracks: RoomTrack[] = sends,
  deviceId = `${userId}s-phone`,
): ServerMessage => ({ ...becomes(userId, "joined"), participantId, deviceId, tracks });
const speaks = (userId: string): ServerMessage => ({
  type: "dominant_speaker_changed",
  ...about,
  userId,
  deviceId: `${userId}s-phone`,
  participantId: "p1",
});

function play(people: People, ...messages: ServerMessage[]): People {
  return messages.reduce(hear, people);
}

test("[ROOM-20] a device that has come to another place goes on sending when the former one is told to be empty", () => {
  const moved = play(rung("bob"), joins("bob"), hasPlace("bob", "p1"), hasPlace("bob", "p2"));
  const settled = play(moved, hasPlace("bob", "p1", []));
  expect(rows(settled, self)[0]?.device).toMatchObject({ places: ["p2"], tracks: sends });
  expect(rows(play(settled, hasPlace("bob", "p2", [])), self)[0]?.device?.tracks).toEqual([]);
});

/** Each row in a line. */
function shown(people: People): string[] {
  return rows(people, self).map(({ name, state, device, isRinging, isHolding }) => {
    const notes = [isRinging && "ringing", isHolding && "holding"].filter(Boolean);
    const tracks = device?.tracks.map(({ source, muted }) => `${source}${muted ? " off" : ""}`) ?? [];
    const place = device ? `${device.deviceId}[${device.places}]` : "no device";
    return [name, state, ...notes, place, ...tracks].join(" ");
  });
}

describe("those who are called", () => {
  test.each<[string, ServerMessage[], string[]]>([
    ["are there from the start", [], ["Bob invited no device", "Eve invited no device"]],
    [
      "ring, join, and are seen",
      [
        { type: "call_ringing", ...about, userId: "bob", devices: 2 },
        { type: "call_ringing", ...about, userId: "eve", devices: 1 },
        joins("bob"),
        hasPlace("bob", "p1"),
      ],
      ["Bob joined bobs-phone[p1] camera microphone off", "Eve invited ringing no device"],
    ],
    [
      "decline, or do not answer",
      [becomes("bob", "declined"), becomes("eve", "missed")],
      ["Bob declined no device", "Eve missed no device"],
    ],
    [
      "are not there if nobody knows them",
      [
        {
          type: "call_initiated",
          ...about,
          deduplicated: false,
          state: "reaching",
          unknownIds: ["eve"],
        },
      ],
      ["Bob invited no device"],
    ],
    [
      "and the one who answers first",
      [{ type: "call_connected", ...about, answeredBy: { userId: "bob", deviceId: "bobs-phone" } }],
      ["Bob joined bobs-phone[]", "Eve invited no device"],
    ],
    [
      "and one more",
      [becomes("joe", "invited")],
      ["Bob invited no device", "Eve invited no device", "Joe invited no device"],
    ],
  ])("%s", (_title, messages, expected) => {
    expect(shown(play(rung("bob", "eve"), ...messages))).toEqual(expected);
  });
});

describe("those who are in the call", () => {
  const both = play(rung("bob", "eve"), joins("bob"), joins("eve"), hasPlace("bob", "p1"), hasPlace("eve", "p2"));

  test.each<[string, ServerMessage[], string[]]>([
    [
      "leave with all that they send",
      [leaves("bob")],
      ["Bob left no device", "Eve joined eves-phone[p2] camera microphone off"],
    ],
    [
      "have another name in the next room, and are known by the former one",
      [hasPlace("bob", "q1")],
      ["Bob joined bobs-phone[q1,p1] camera microphone off", "Eve joined eves-phone[p2] camera microphone off"],
    ],
    [
      "hold",
      [{ type: "call_held", ...about, userId: "eve", on: true }],
      ["Bob joined bobs-phone[p1] camera microphone off", "Eve joined holding eves-phone[p2] camera microphone off"],
    ],
    [
      "are in with two devices",
      [hasPlace("bob", "p3", [{ source: "screen", muted: false }], "bobs-tablet")],
      [
        "Bob joined bobs-phone[p1] camera microphone off",
        "Bob joined bobs-tablet[p3] screen",
        "Eve joined eves-phone[p2] camera microphone off",
      ],
    ],
    [
      "go on with one of them",
      [hasPlace("bob", "p3", sends, "bobs-tablet"), hasPlace("bob", "p1", [])],
      ["Bob joined bobs-tablet[p3] camera microphone off", "Eve joined eves-phone[p2] camera microphone off"],
    ],
  ])("%s", (_title, messages, expected) => {
    expect(shown(play(both, ...messages))).toEqual(expected);
  });

  test("are this user's other devices too, but not this one", () => {
    const own = { ...hasPlace("alice", "p8", sends, self.deviceId) };
    expect(shown(play(rung(), own, hasPlace("alice", "p9", sends, "alices-tablet")))).toEqual([
      "Alice joined alices-tablet[p9] camera microphone off",
    ]);
  });

  test("are told of all at once when this device comes in, and by a snapshot", () => {
    const participants = ["bob", "eve"].map((userId, i) => ({
      participantId: `p${i}`,
      userId,
      deviceId: `${userId}s-phone`,
      name: capital(userId),
      tracks: sends,
    }));
    const room = {
      type: "room_joined" as const,
      ...about,
      epoch: 1,
      participantId: "p9",
      sdp: "s",
      participants,
      tracks: [],
    };
    expect(shown(play(rung(), room))).toEqual([
      "Bob joined bobs-phone[p0] camera microphone off",
      "Eve joined eves-phone[p1] camera microphone off",
    ]);
    const snapshot: ServerMessage = {
      type: "call_state",
      ...about,
      callType: "group",
      state: "connected",
      caller: { ...self, name: "Alice" },
      participants: [
        { userId: "alice", name: "Alice", state: "joined", deviceId: self.deviceId },
        { userId: "bob", name: "Bob", state: "left" },
        { userId: "eve", name: "Eve", state: "joined", deviceId: "eves-phone", held: true },
        { userId: "joe", name: "Joe", state: "invited" },
      ],
      createdAt: "2026-01-01T00:00:00.000Z",
    };
    const ringing: ServerMessage = { type: "call_ringing", ...about, userId: "joe", devices: 1 };
    expect(shown(play(rung("joe"), ringing, room, snapshot))).toEqual([
      "Joe invited ringing no device",
      "Bob left no device",
      "Eve joined holding eves-phone[p1] camera microphone off",
    ]);
  });

  test("speak, until they leave", () => {
    expect(play(both, speaks("bob")).speaker).toEqual({ userId: "bob", deviceId: "bobs-phone" });
    expect(play(both, speaks("bob"), leaves("eve")).speaker).not.toBeNull();
    expect(play(both, speaks("bob"), leaves("bob")).speaker).toBeNull();
  });

  test("are more than the two who began", () => {
    expect(hasOthers(play(rung(), joins("bob")), ["alice", "bob"])).toBe(false);
    expect(hasOthers(play(rung(), joins("bob"), becomes("eve", "invited")), ["alice", "bob"])).toBe(false);
    expect(hasOthers(play(rung(), joins("bob"), joins("eve")), ["alice", "bob"])).toBe(true);
  });
});

test("whatever is told, twice is as good as once", () => {
  const names = fc.constantFrom("alice", "bob", "eve");
  const message = fc.oneof(
    names.map((name) => joins(name)),
    names.map((name) => leaves(name)),
    names.map((name) => speaks(name)),
    fc
      .tuple(names, fc.constantFrom("invited", "declined", "busy", "missed", "left", "joined"))
      .map(([name, state]) => becomes(name, state)),
    fc
      .tuple(names, fc.constantFrom("p1", "p2", "p3", "p4"), fc.constantFrom("phone", "tablet"), fc.boolean())
      .map(([name, place, device, isSending]) => hasPlace(name, place, isSending ? sends : [], device)),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
      let people = rung("bob");
      for (const each of messages) {
        const once = hear(people, each);
        expect(hear(once, each)).toEqual(once);
        people = once;
        for (const { userId, device } of rows(people, self)) {
          expect(userId !== self.userId || device?.deviceId !== self.deviceId).toBe(true);
          expect(device?.places.length ?? 0).toBeLessThanOrEqual(3);
        }
      }
    }),
  );
});
