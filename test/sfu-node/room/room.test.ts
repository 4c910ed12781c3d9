import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KIND_OF, TrackSource, type VideoRequest } from "../../../schema/room.ts";
import * as model from "../../../sfu-node/room/room.ts";

const SEED = 20_261_126;
const RUNS = 400;

type Tracks = Partial<Record<TrackSource, number>>;

const BOTH: Tracks = { microphone: 1, camera: 3 };

/** People with their tracks (a number of layers each), in the order in which they came. */
function roomOf(people: Readonly<Record<string, Tracks>>, lastN = 31): model.Room {
  return Object.entries(people).reduce(
    (room, [id, tracks]) => model.setTracks(model.join(room, id, []), id, sent(id, tracks)),
    model.createRoom(lastN),
  );
}

function sent(id: string, tracks: Tracks): Map<TrackSource, model.SentTrack> {
  return new Map(
    TrackSource.options.flatMap((source) => {
      const layers = tracks[source];
      return layers === undefined ? [] : [[source, { producerId: `${id}-${source}`, layers }]];
    }),
  );
}

/** What of the others reaches somebody, in short: `ada/camera@2` is the layer 2 of Ada's camera. */
function gets(room: model.Room, receiver: string): string[] {
  return model
    .plansFor(room, receiver)
    .filter(({ isPaused }) => !isPaused)
    .map(
      ({ participantId, source, kind, layer }) => `${participantId}/${source}${kind === "video" ? `@${layer}` : ""}`,
    );
}

describe("what is forwarded to whom", () => {
  const three = roomOf({ ada: BOTH, bob: BOTH, eve: { screen: 1, screen_audio: 1 } });

  it("is all that the others send, to those who have said nothing of their wishes", () => {
    expect(gets(three, "ada")).toEqual(["bob/camera@2", "bob/microphone", "eve/screen@0", "eve/screen_audio"]);
    expect(gets(three, "eve")).toEqual(["ada/camera@2", "ada/microphone", "bob/camera@2", "bob/microphone"]);
  });

  it("is the video that was asked for, as high as it was, and the audio of all", () => {
    const room = model.setWants(three, "ada", [{ participantId: "bob", source: "camera", height: 180 }]);
    expect(gets(room, "ada")).toEqual(["bob/camera@0", "bob/microphone", "eve/screen_audio"]);
    expect(gets(model.setWants(three, "ada", []), "ada")).toEqual(["bob/microphone", "eve/screen_audio"]);
  });

  it("is no video of height 0", () => {
    const room = model.setWants(three, "ada", [{ participantId: "bob", source: "camera", height: 0 }]);
    expect(gets(room, "ada")).toEqual(["bob/microphone", "eve/screen_audio"]);
  });

  it("is nothing that is muted, until it is not", () => {
    const muted = model.setMuted(three, "bob", ["camera", "microphone"]);
    expect(gets(muted, "ada")).toEqual(["eve/screen@0", "eve/screen_audio"]);
    expect(gets(model.setMuted(muted, "bob", []), "ada")).toEqual(gets(three, "ada"));
  });

  it("is the video of those who spoke last, and then of those who came first", () => {
    const cameras = roomOf({ ada: BOTH, bob: BOTH, eve: BOTH, mia: BOTH }, 2);
    const seen = (room: model.Room) => gets(room, "ada").filter((track) => track.includes("camera"));
    expect(seen(cameras)).toEqual(["bob/camera@2", "eve/camera@2"]);
    expect(seen(model.spoke(cameras, "mia"))).toEqual(["bob/camera@2", "mia/camera@2"]);
    expect(seen(model.spoke(model.spoke(cameras, "mia"), "eve"))).toEqual(["eve/camera@2", "mia/camera@2"]);
    expect(gets(cameras, "ada").filter((track) => track.includes("microphone"))).toHaveLength(3);
  });

  it("does not leave a place among the last N to who shows nothing", () => {
    const room = roomOf({ ada: BOTH, bob: { microphone: 1 }, eve: BOTH, mia: BOTH }, 1);
    expect(gets(model.spoke(room, "bob"), "ada")).toContain("eve/camera@2");
    expect(gets(model.setMuted(room, "eve", ["camera"]), "ada")).toContain("mia/camera@2");
  });

  it("says how dear each video is to its receiver, as mediasoup takes it: from 1 to 255", () => {
    const ask = (priority?: number): VideoRequest[] => [
      { participantId: "bob", source: "camera", height: 720, ...(priority !== undefined && { priority }) },
    ];
    const priorities = [undefined, 0, 1, 2, 255].map((priority) => {
      const plans = model.plansFor(model.setWants(three, "ada", ask(priority)), "ada");
      return plans.find(({ key }) => key.startsWith("bob/camera"))?.priority;
    });
    expect(priorities).toEqual([2, 1, 2, 3, 255]);
  });

  it("is another track where another producer took the place of one: its receivers have to be offered it anew", () => {
    const [before] = model.plansFor(three, "ada");
    const renewed = model.setTracks(three, "bob", new Map([["camera", { producerId: "another", layers: 3 }]]));
    const [after] = model.plansFor(renewed, "ada");
    expect(after?.source).toBe(before?.source);
    expect(after?.key).not.toBe(before?.key);
    expect(model.readKey(after?.key ?? "")).toEqual(["bob", "camera"]);
  });
});

describe("the layer of a video", () => {
  it.each<[height: number, layers: number, layer: number]>([
    [90, 3, 0],
    [180, 3, 0],
    [181, 3, 1],
    [360, 3, 1],
    [361, 3, 2],
    [4_320, 3, 2],
    [Number.POSITIVE_INFINITY, 3, 2],
    [360, 2, 0],
    [361, 2, 1],
    [90, 1, 0],
  ])("shown %i pixels high, of %i layers, is the smallest that is as high: %i", (height, layers, layer) => {
    expect(model.layerFor(height, layers)).toBe(layer);
  });
});

const PEOPLE = ["ada", "bob", "eve", "mia", "zoe"];
const person = fc.constantFrom(...PEOPLE);
const sources = fc.uniqueArray(fc.constantFrom(...TrackSource.options));
const request: fc.Arbitrary<VideoRequest> = fc.record(
  {
    participantId: person,
    source: fc.constantFrom("camera" as const, "screen" as const),
    height: fc.constantFrom(0, 90, 180, 360, 720, 2_160),
    priority: fc.integer({ min: 0, max: 255 }),
  },
  { requiredKeys: ["participantId", "source", "height"] },
);

const step: fc.Arbitrary<(room: model.Room) => model.Room> = fc.oneof(
  person.map((id) => (room: model.Room) => model.join(room, id, [])),
  person.map((id) => (room: model.Room) => model.leave(room, id)),
  fc
    .tuple(
      person,
      fc.record({ microphone: fc.constant(1), camera: fc.integer({ min: 1, max: 3 }) }, { requiredKeys: [] }),
    )
    .map(
      ([id, tracks]) =>
        (room: model.Room) =>
          model.setTracks(room, id, sent(id, tracks)),
    ),
  fc.tuple(person, sources).map(
    ([id, muted]) =>
      (room: model.Room) =>
        model.setMuted(room, id, muted),
  ),
  fc.tuple(person, fc.array(request, { maxLength: 6 })).map(
    ([id, wants]) =>
      (room: model.Room) =>
        model.setWants(room, id, wants),
  ),
  person.map((id) => (room: model.Room) => model.spoke(room, id)),
);

describe("what is forwarded in any room", () => {
  const lives = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.array(step, { minLength: 10, maxLength: 60, size: "max" }));
  const rooms = lives.map(([lastN, steps]) => steps.reduce((room, next) => next(room), model.createRoom(lastN)));
  const assert = (holds: (room: model.Room, receiver: string) => void) =>
    fc.assert(fc.property(rooms, person, holds), { seed: SEED, numRuns: RUNS });

  it("is planned for each track of each of the others, once, and for none of one's own", () => {
    assert((room, receiver) => {
      const others = [...room.people].filter(([id]) => id !== receiver);
      const expected = others.flatMap(([id, { tracks }]) => [...tracks.keys()].map((source) => `${id}/${source}`));
      const plans = model.plansFor(room, receiver);
      expect(plans.map(({ participantId, source }) => `${participantId}/${source}`).sort()).toEqual(expected.sort());
      expect(new Set(plans.map(({ key }) => key)).size).toBe(plans.length);
    });
  });

  it("is audio unless it is muted, and video that is wanted and not muted", () => {
    assert((room, receiver) => {
      const { wants } = room.people.get(receiver) ?? { wants: null };
      for (const { participantId, source, kind, isPaused } of model.plansFor(room, receiver)) {
        const isMuted = room.people.get(participantId)?.muted.has(source) ?? false;
        const want = wants?.find((one) => one.participantId === participantId && one.source === source);
        const isWanted = kind === "audio" || (want?.height ?? 0) > 0;
        if (isMuted || kind === "audio" || wants) expect(isPaused).toBe(isMuted || !isWanted);
      }
    });
  });

  it("is of a layer that there is, and as dear as mediasoup takes it", () => {
    assert((room, receiver) => {
      for (const { participantId, source, kind, layer, priority } of model.plansFor(room, receiver)) {
        expect(kind).toBe(KIND_OF[source]);
        expect(layer).toBeGreaterThanOrEqual(0);
        expect(layer).toBeLessThan(room.people.get(participantId)?.tracks.get(source)?.layers ?? 0);
        expect(priority).toBeGreaterThanOrEqual(1);
        expect(priority).toBeLessThanOrEqual(255);
      }
    });
  });

  it("is the video of as many as the last N allow, to who has said nothing of their wishes", () => {
    assert((room, receiver) => {
      if (room.people.get(receiver)?.wants) return;
      const videos = model.plansFor(room, receiver).filter(({ kind }) => kind === "video");
      const showing = videos.filter(({ participantId, source }) => !room.people.get(participantId)?.muted.has(source));
      const shown = new Set(videos.flatMap(({ isPaused, participantId }) => (isPaused ? [] : [participantId])));
      expect(shown.size).toBe(Math.min(room.lastN, new Set(showing.map(({ participantId }) => participantId)).size));
    });
  });

  it("is demanded of the sender as high as the receiver who wants most of it", () => {
    assert((room, sender) => {
      const others = [...room.people.keys()].filter((id) => id !== sender);
      const demand = model.demand(room, sender, "camera");
      const isMuted = room.people.get(sender)?.muted.has("camera") ?? false;
      if (!room.people.get(sender)?.tracks.has("camera") || isMuted) return;
      const plans = others.flatMap((id) =>
        model.plansFor(room, id).filter((plan) => plan.participantId === sender && plan.source === "camera"),
      );
      expect(demand > 0).toBe(plans.some(({ isPaused }) => !isPaused));
    });
  });
});
