import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MediaKind } from "../../../schema/room.ts";
import { type Line, type OfferedSection, offered, PROBATOR, place, type Track } from "../../../sfu-node/room/lines.ts";
import { RoomRefusal } from "../../../sfu-node/room/refusal.ts";

const SEED = 20_261_127;
const RUNS = 200;

const section = (mid: string, kind: MediaKind | null, change: Partial<OfferedSection> = {}): OfferedSection => ({
  mid,
  kind,
  isSending: true,
  isRejected: false,
  ...change,
});
const track = (key: string, kind: MediaKind): Track => ({ key, kind });
const shown = (lines: readonly Line[]) =>
  lines.map(({ mid, use }) => `${mid} ${use.type === "download" ? use.track : use.type}`);

describe("the lines after a client's offer", () => {
  const joined = offered([], [section("0", "audio"), section("1", "video")], []);
  const { lines } = place(joined, [track("bob", "audio"), track("eve", "audio")], false);

  it("are its own, a microphone and a camera if it does not say", () => {
    expect(joined).toEqual([
      { mid: "0", kind: "audio", use: { type: "upload", source: "microphone", isRenumbering: false } },
      { mid: "1", kind: "video", use: { type: "upload", source: "camera", isRenumbering: false } },
    ]);
  });

  it("are a screen where it says so, or has a camera already", () => {
    const two = [section("a", "video"), section("b", "video")];
    const said = offered([], two, [{ mid: "a", source: "screen" }]);
    expect(said.map(({ use }) => use.type === "upload" && use.source)).toEqual(["screen", "camera"]);
    const unsaid = offered([], two, []);
    expect(unsaid.map(({ use }) => use.type === "upload" && use.source)).toEqual(["camera", "screen"]);
  });

  it("leave their sources to those that had them, when another one begins to send", () => {
    const silent = offered([], [section("0", "audio", { isSending: false }), section("1", "audio")], []);
    const both = offered(silent, [section("0", "audio"), section("1", "audio")], []);
    expect(both.map(({ use }) => use.type === "upload" && use.source)).toEqual(["screen_audio", "microphone"]);
  });

  it("stay in their order, with new ones behind", () => {
    const again = [
      ...lines.map(({ mid, kind }) => section(mid, kind, { isSending: kind === "video" })),
      section("x", "video"),
    ];
    expect(shown(offered(lines, again, []))).toEqual(["0 idle", "1 upload", "s2 bob", "s3 eve", "x upload"]);
  });

  it("give a line to the client that sends on it, as addTrack does: what came on it is offered on another", () => {
    const again = [
      section("0", "audio", { isSending: false }),
      ...["1", "s2", "s3"].map((mid, at) => section(mid, lines[at + 1]?.kind ?? null, { isSending: mid === "s2" })),
    ];
    const taken = offered(lines, again, []);
    expect(shown(taken)).toEqual(["0 idle", "1 idle", "s2 upload", "s3 eve"]);
    const { added, removed } = place(taken, [track("bob", "audio"), track("eve", "audio")], false);
    expect({ added, removed }).toEqual({ added: [{ mid: "0", track: "bob" }], removed: [] });
  });

  it("are never used again by the SFU once the client has rejected them, and may be taken anew by the client", () => {
    const stopped = offered(joined, [section("0", "audio", { isRejected: true }), section("1", "video")], []);
    expect(shown(stopped)).toEqual(["0 refused", "1 upload"]);
    expect(shown(place(stopped, [track("bob", "audio")], false).lines)).toEqual(["0 refused", "1 upload", "s2 bob"]);
    const recycled = offered(
      stopped,
      [section("new", "video"), section("1", "video")],
      [{ mid: "new", source: "screen" }],
    );
    expect(shown(recycled)).toEqual(["new upload", "1 upload"]);
  });

  it("are refused where they carry no media: data channels", () => {
    expect(shown(offered([], [section("0", "audio"), section("d", null)], []))).toEqual(["0 upload", "d refused"]);
  });

  const same = lines.map(({ mid, kind }) => section(mid, kind, { isSending: false }));
  it.each<[string, OfferedSection[], { mid: string; source: "screen" | "camera" }[], string]>([
    ["drops a line", same.slice(1), [], "sdp: has 3 m-sections, and had 4"],
    [
      "makes a line another kind",
      [section("0", "video"), ...same.slice(1)],
      [],
      "sdp: m-section 0 was audio, and is video",
    ],
    [
      "makes a line a data channel",
      [section("0", null), ...same.slice(1)],
      [],
      "sdp: m-section 0 was audio, and is another",
    ],
    ["renames a line", [section("zero", "audio"), ...same.slice(1)], [], "sdp: m-section 0 was 0, and is zero"],
    [
      "shows a screen by sound",
      [section("0", "audio"), ...same.slice(1)],
      [{ mid: "0", source: "screen" }],
      "sdp: tracks: a screen is no audio",
    ],
    [
      "has two cameras",
      [...same, section("x", "video"), section("y", "video")],
      [
        { mid: "x", source: "camera" },
        { mid: "y", source: "camera" },
      ],
      "sdp: tracks: there are two of camera",
    ],
    [
      "has a third video",
      [...same, section("x", "video"), section("y", "video"), section("z", "video")],
      [],
      "sdp: has more video tracks than there are sources",
    ],
  ])("are refused of a client that %s", (_title, sections, sent, message) => {
    expect(() => offered(lines, sections, sent)).toThrow(new RoomRefusal("bad_message", message));
  });
});

describe("the lines of the tracks that a client is sent", () => {
  it("are named as none that the client has, whatever it calls its own", () => {
    const odd = offered([], [section("s1", "audio"), section("s2", "video"), section(PROBATOR, "video")], []);
    const { lines } = place(odd, [track("bob", "video")], true);
    expect(shown(lines)).toEqual(["s1 upload", "s2 upload", "probator upload", "s3 bob"]);
  });

  it("come with one for mediasoup's probes where there is video to be estimated", () => {
    expect(shown(place([], [track("bob", "audio")], true).lines)).toEqual(["s0 bob"]);
    const { lines } = place([], [track("bob", "video")], true);
    expect(shown(lines)).toEqual(["s0 bob", "probator probator"]);
    expect(shown(place(lines, [], true).lines)).toEqual(["s0 idle", "probator probator"]);
  });
});

/** What happens to a connection: the room's tracks change, or the client offers. */
type Step =
  | { readonly type: "tracks"; readonly tracks: readonly Track[]; readonly withProbator: boolean }
  | { readonly type: "offer"; readonly changes: readonly Change[]; readonly fresh: readonly OfferedSection[] };
type Change = "send" | "receive" | "reject" | "keep";

const TRACKS: readonly Track[] = Array.from({ length: 10 }, (_, index) =>
  track(`track${index}`, index % 2 === 0 ? "audio" : "video"),
);
const mid = fc.oneof(
  fc.nat(30).map((count) => `s${count}`),
  fc.nat(30).map(String),
  fc.constant(PROBATOR),
);
const fresh = fc.record({
  mid,
  kind: fc.constantFrom<MediaKind | null>("audio", "video", null),
  isSending: fc.boolean(),
  isRejected: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant("tracks" as const), tracks: fc.subarray([...TRACKS]), withProbator: fc.boolean() }),
  fc.record({
    type: fc.constant("offer" as const),
    changes: fc.array(fc.constantFrom<Change>("send", "receive", "reject", "keep", "keep", "keep"), { maxLength: 12 }),
    fresh: fc.array(fresh, { maxLength: 2 }),
  }),
);

/** The client's next offer: all lines that there are, some of them changed, and new ones with mids of its own. */
function offerOf(lines: readonly Line[], { changes, fresh }: Extract<Step, { type: "offer" }>): OfferedSection[] {
  const known = lines.map(({ mid, kind, use }, index): OfferedSection => {
    const change = changes[index] ?? "keep";
    const isSending = change === "send" || (change === "keep" && use.type === "upload");
    return { mid, kind, isSending, isRejected: change === "reject" || use.type === "refused" };
  });
  const mids = new Set(known.map((one) => one.mid));
  const added = fresh.filter((one) => !mids.has(one.mid) && mids.add(one.mid));
  return [...known, ...added];
}

describe("the lines of any connection", () => {
  const lives = fc.array(step, { minLength: 5, maxLength: 60, size: "max" });

  /** Goes through a life, with a look at the lines before and after each step. */
  function live(
    steps: readonly Step[],
    look: (before: readonly Line[], after: readonly Line[], step: Step) => void,
  ): void {
    let lines: readonly Line[] = [];
    for (const next of steps) {
      const before = lines;
      lines = next.type === "tracks" ? place(lines, next.tracks, next.withProbator).lines : after(lines, next);
      look(before, lines, next);
    }
  }

  /** An offer of more than there are sources changes nothing. */
  function after(lines: readonly Line[], step: Extract<Step, { type: "offer" }>): readonly Line[] {
    try {
      return offered(lines, offerOf(lines, step), []);
    } catch (error) {
      expect(error).toBeInstanceOf(RoomRefusal);
      return lines;
    }
  }

  it("keep their order, mids and kinds, and no two have the same mid", () => {
    fc.assert(
      fc.property(lives, (steps) =>
        live(steps, (before, lines) => {
          expect(lines.slice(0, before.length).map(named)).toEqual(before.map(named));
          expect(new Set(lines.map(({ mid }) => mid)).size).toBe(lines.length);
        }),
      ),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it("carry each track that is to be sent exactly once, on a line of its kind, and no other", () => {
    fc.assert(
      fc.property(lives, (steps) =>
        live(steps, (_before, lines, step) => {
          if (step.type !== "tracks") return;
          const carried = lines.flatMap(({ kind, use }) => (use.type === "download" ? [`${use.track} ${kind}`] : []));
          expect(carried.sort()).toEqual(step.tracks.map(({ key, kind }) => `${key} ${kind}`).sort());
        }),
      ),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it("leave a track on the line that it has for as long as it is sent, unless the client takes that", () => {
    fc.assert(
      fc.property(lives, (steps) =>
        live(steps, (before, lines, step) => {
          if (step.type !== "tracks") return;
          const keys = new Set(step.tracks.map(({ key }) => key));
          for (const [index, { use }] of before.entries()) {
            if (use.type === "download" && keys.has(use.track)) expect(lines[index]?.use).toEqual(use);
          }
        }),
      ),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it("are no more than tracks were ever sent at once, besides those that the client made, took or rejected", () => {
    fc.assert(
      fc.property(lives, (steps) => {
        const most = { audio: 0, video: 0 };
        let clients = 0;
        live(steps, (before, lines, step) => {
          if (step.type === "tracks") {
            for (const kind of ["audio", "video"] as const) {
              most[kind] = Math.max(most[kind], step.tracks.filter((one) => one.kind === kind).length);
            }
          } else {
            const taken = before.filter(({ use }, at) => lines[at]?.use.type !== use.type).length;
            clients += lines.length - before.length + taken;
          }
          // One more for the probes.
          expect(lines.length).toBeLessThanOrEqual(most.audio + most.video + clients + 1);
        });
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  const named = ({ mid, kind }: Line) => `${mid} ${kind}`;
});
