import { describe, expect, test } from "vitest";
import { activeLayers, mutedOf, type Sending, tracksOf } from "../../../client/room/sending.ts";
import { wantsOf } from "../../../client/room/wants.ts";
import { FakeTrack } from "../../support/fake-media.ts";

const camera = new FakeTrack("video");
const microphone = new FakeTrack("audio");
const screen = new FakeTrack("video");
const both: Sending = { camera, microphone, screen: null, screen_audio: null, isMuted: false, isOnHold: false };

describe("what the others know as muted", () => {
  test.each<[string, Partial<Sending>, string[]]>([
    ["nothing of a camera and a microphone", {}, []],
    ["the microphone that is off", { isMuted: true }, ["microphone"]],
    ["the camera that is off", { camera: null }, ["camera"]],
    ["everything on hold", { isOnHold: true }, ["camera", "microphone", "screen", "screen_audio"]],
  ])("%s", (_title, change, muted) => {
    expect(mutedOf({ ...both, ...change })).toEqual(muted);
  });

  test("on hold nothing is sent, not even to the SFU", () => {
    expect(tracksOf({ ...both, screen, isOnHold: true })).toEqual({
      camera: null,
      microphone: null,
      screen: null,
      screen_audio: null,
    });
  });
});

test.each<[number | null, number, boolean[]]>([
  [null, 3, [true, true, true]],
  [0, 3, [false, false, false]],
  [120, 3, [true, false, false]],
  [180, 3, [true, false, false]],
  [181, 3, [true, true, false]],
  [360, 3, [true, true, false]],
  [361, 3, [true, true, true]],
  [4_320, 3, [true, true, true]],
  [0, 1, [false]],
  [90, 1, [true]],
])("wanted %s pixels high, of %d layers are sent %j", (height, layers, active) => {
  expect(activeLayers(height, layers)).toEqual(active);
});

describe("what is asked for", () => {
  const device = (place: string) => ({ deviceId: "d", places: [place, "former"], tracks: [] });
  const devices = new Map([
    ["bob/d", device("p1")],
    ["eve/d", { deviceId: "d", places: [], tracks: [] }],
  ]);
  const asked = (height: number, source: "camera" | "screen" = "camera") =>
    wantsOf([{ key: "bob/d", source, height }], devices)[0];

  test("is a little more than is shown, so that a window may grow a little", () => {
    expect([0, 1, 60, 61, 181, 719, 99_999].map((height) => asked(height)?.height)).toEqual([
      0, 60, 60, 120, 240, 720, 4_320,
    ]);
  });

  test("comes first where it is shown large, and a screen before cameras of its size", () => {
    expect(asked(720)?.priority).toBeGreaterThan(asked(180)?.priority ?? 0);
    expect(asked(720, "screen")?.priority).toBeGreaterThan(asked(720)?.priority ?? 0);
    expect(asked(4_320, "screen")?.priority).toBeLessThanOrEqual(255);
  });

  test("is of nobody who is not in the room", () => {
    expect(wantsOf([{ key: "eve/d", source: "camera", height: 100 }], devices)).toEqual([]);
    expect(wantsOf([{ key: "joe/d", source: "camera", height: 100 }], devices)).toEqual([]);
  });
});
