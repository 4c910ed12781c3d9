import { describe, expect, test } from "vitest";
import { PAIRING_MS, ROOM_MOVE_MS } from "../../../schema/limits.ts";
import type { RoomTrack } from "../../../schema/room.ts";
import { pairedWith } from "../../../workers/room/pairing.ts";
import { ADAS_PHONE, CIDS_PHONE, PHONE } from "../call/call-script.ts";
import { about, attendee, MICROPHONE, type RoomScript, script, talking } from "./room-script.ts";

const ALONE_MS = 10_000;
const SCREEN: RoomTrack = { source: "screen", muted: false };
const TWO = [ADAS_PHONE, PHONE].map(attendee);

/** Three were in the room, and Cid has left it. */
function left(): RoomScript {
  const played = talking().joins(CIDS_PHONE).answers();
  played.backToPairMs = ALONE_MS;
  return played.changes({ devices: TWO });
}

/** They have been asked to connect with each other. */
function asked(): RoomScript {
  return left().passes(ALONE_MS);
}

function up(played: RoomScript, ...devices: (typeof PHONE)[]): RoomScript {
  for (const from of devices) played.event({ type: "pair_up", from, connectionId: "pair-2" });
  return played;
}

const paired = () => up(asked(), ADAS_PHONE, PHONE);

describe("[ROOM-21] two who are left in a room", () => {
  test("are asked to connect with each other once they have been alone for long enough", () => {
    const played = left();
    expect(played.deadline).toBe(played.now + ALONE_MS);
    expect(played.passes(ALONE_MS - 1).heard).toEqual([]);
    expect(played.passes(1).heard).toEqual([
      `ada offers pair-2 in ${PAIRING_MS}`,
      `bob awaits pair-2 in ${PAIRING_MS}`,
    ]);
    expect(played.done).toEqual([]);
    expect(pairedWith(played.room, PHONE)).toMatchObject(ADAS_PHONE);
    expect(pairedWith(played.room, CIDS_PHONE)).toBeUndefined();
  });

  test("leave it when both are connected, and not before", () => {
    const played = up(asked(), PHONE, PHONE);
    expect([played.heard, played.done]).toEqual([[], []]);
    up(played, ADAS_PHONE);
    expect(played.heard).toEqual(["ada closed 1 for pair-2", "bob closed 1 for pair-2"]);
    expect(played.done).toEqual(["close 1 over"]);
    expect(played.deadline).toBeNull();
  });

  test("stay where they are where the deployment does not ask for it", () => {
    const played = talking().joins(CIDS_PHONE).answers().changes({ devices: TWO });
    expect(played.deadline).toBeNull();
  });

  test.each<[string, (played: RoomScript) => RoomScript]>([
    ["somebody is rung", (played) => played.changes({ isRinging: true })],
    ["a third one joins", (played) => played.changes({ devices: [...TWO, attendee(CIDS_PHONE)] })],
    [
      "one shows a screen",
      (played) => played.hears({ type: "participant_tracks", participantId: "p1", tracks: [MICROPHONE, SCREEN] }),
    ],
    ["their node is to stop", (played) => played.hears({ type: "room_draining", deadlineMs: 10_000 })],
    ["their node dies", (played) => played.detaches()],
  ])("stay when, meanwhile, %s", (_what, happens) => {
    const played = asked();
    const heard = happens(played).heard;
    expect(heard.filter((line) => line.includes("pair"))).toEqual(["ada drops pair-2", "bob drops pair-2"]);
    up(played, ADAS_PHONE, PHONE);
    expect([played.heard, played.done]).toEqual([[], []]);
  });

  test("stay when they cannot connect, and are not asked again before somebody else has been there", () => {
    const played = up(asked(), PHONE).passes(PAIRING_MS);
    expect(played.heard).toEqual(["ada drops pair-2", "bob drops pair-2"]);
    expect(played.deadline).toBeNull();
    played.changes({ devices: [...TWO, attendee(CIDS_PHONE)] }).changes({ devices: TWO });
    expect(played.passes(ALONE_MS).heard[0]).toContain("ada offers pair-3");
  });

  test("what a device says of another connection counts for nothing", () => {
    const played = asked();
    for (const connectionId of ["pair-1", "second"]) {
      for (const from of [ADAS_PHONE, PHONE]) played.event({ type: "pair_up", from, connectionId });
    }
    up(played, CIDS_PHONE, ADAS_PHONE);
    expect([played.heard, played.done]).toEqual([[], []]);
  });
});

describe("[ROOM-22] two who have left their room", () => {
  test("keep their connection while the call changes, and need no node", () => {
    const played = paired().changes({ isRinging: true }).changes({ isRinging: false });
    expect([played.heard, played.done, played.deadline]).toEqual([[], [], null]);
    expect(pairedWith(played.room, ADAS_PHONE)).toMatchObject(PHONE);
  });

  test("are told of the next room when a third one has joined and it is open", () => {
    const played = paired().changes({ devices: [...TWO, attendee(CIDS_PHONE)] });
    expect(played.done).toEqual(["place 2"]);
    expect(played.placed().heard).toEqual([]);
    expect(played.attaches(2).heard).toEqual([
      `ada moved 2 in ${ROOM_MOVE_MS}`,
      `bob moved 2 in ${ROOM_MOVE_MS}`,
      `cid moved 2 in ${ROOM_MOVE_MS}`,
    ]);
    expect(pairedWith(played.room, ADAS_PHONE)).toBeUndefined();
  });

  test("get a room again when one of them joins it, to show a screen", () => {
    const played = paired().joins(ADAS_PHONE);
    expect(played.done).toEqual(["place 2"]);
    expect(played.placed().attaches(2).heard).toEqual([`bob moved 2 in ${ROOM_MOVE_MS}`]);
    expect(played.done).toEqual(["2 join p4"]);
  });

  test("get a room again when their connection fails", () => {
    const played = paired().event({ type: "pair_lost" });
    expect(played.done).toEqual(["place 2"]);
    expect(played.placed().attaches(2).heard).toEqual([
      `ada moved 2 in ${ROOM_MOVE_MS}`,
      `bob moved 2 in ${ROOM_MOVE_MS}`,
    ]);
  });

  test("hear what of the other is muted", () => {
    const played = paired().asks(PHONE, { type: "room_update", ...about, muted: ["microphone"] });
    expect(played.heard).toEqual(["ada Bob's p2 sends microphone:muted camera"]);
    expect(played.asks(PHONE, { type: "room_update", ...about, wants: [] }).heard).toEqual([]);
  });

  test("end the call without a node to tell", () => {
    const played = paired().changes({ isLive: false, devices: [] });
    expect([played.heard, played.done]).toEqual([[], []]);
  });
});

test("[ROOM-21] of two devices of one user nobody is asked to connect", () => {
  const played = script().changes({ devices: TWO.map((device) => ({ ...device, userId: PHONE.userId })) });
  played.backToPairMs = ALONE_MS;
  for (const { deviceId } of TWO) played.joins({ userId: PHONE.userId, deviceId });
  played.open().answers();
  expect(played.deadline).toBeNull();
});
