import { describe, expect, test } from "vitest";
import { attendanceOf, expectedIn } from "../../../workers/room/attendance.ts";
import {
  ADAS_PHONE,
  type CallScript,
  CID,
  CIDS_PHONE,
  groupScript,
  PHONE,
  script,
  TABLET,
} from "../call/call-script.ts";

const group = () => groupScript().rung([PHONE, TABLET]).rung([CIDS_PHONE]);
const pair = () => script().rung([PHONE, TABLET]).answers(PHONE).media();
const devices = (played: CallScript) => attendanceOf(played.call).devices.map(({ deviceId }) => deviceId.slice(-2));

describe("who may be in the room", () => {
  test.each<[string, CallScript, string[]]>([
    ["nobody while the call rings", group(), []],
    ["those who have answered", group().answers(PHONE), ["a1", "b1"]],
    ["not who has declined", group().answers(PHONE).declines(CIDS_PHONE), ["a1", "b1"]],
    ["not who has left", group().answers(PHONE).answers(CIDS_PHONE).hangsUp(PHONE), ["a1", "c1"]],
    [
      "both devices of a user",
      group().answers(PHONE).says(TABLET, { type: "answer", sdp: null, join: true }),
      ["a1", "b1", "b2"],
    ],
    ["the device that is taking over", group().answers(PHONE).takesOver(TABLET, 0, null), ["a1", "b1", "b2"]],
    ["not the one that has handed over", group().answers(PHONE).takesOver(TABLET, 0, null).media(TABLET), ["a1", "b2"]],
    ["nobody when the call is over", group().answers(PHONE).declines(CIDS_PHONE).hangsUp(PHONE), []],
  ])("[ROOM-3] %s", (_title, played, expected) => {
    expect(devices(played)).toEqual(expected);
  });
});

describe("whether there is to be a room", () => {
  test.each<[string, CallScript, boolean]>([
    ["of a group that rings", group(), false],
    ["of a group that is answered", group().answers(PHONE), true],
    ["of a call between two", pair(), false],
    ["of one that is about to grow", pair().invites([CID]), false],
    ["of one that has grown", pair().invites([CID]).rung([CIDS_PHONE]).answers(CIDS_PHONE), true],
    ["of a group that is over", group().answers(PHONE).declines(CIDS_PHONE).hangsUp(), false],
  ])("[ROOM-1] [ROOM-17] %s", (_title, played, expected) => {
    expect(attendanceOf(played.call).isWanted).toBe(expected);
  });

  test("[FLEET-1] it is to hold who is there and who may come", () => {
    const counts = [group(), group().answers(PHONE), group().answers(PHONE).declines(CIDS_PHONE)];
    expect(counts.map(({ call }) => expectedIn(call))).toEqual([3, 3, 2]);
  });

  test("with names, for those who are inside", () => {
    expect(attendanceOf(group().answers(PHONE).call).devices).toEqual([
      { ...ADAS_PHONE, name: "Ada" },
      { ...PHONE, name: "Bob" },
    ]);
  });
});
