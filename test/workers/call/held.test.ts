import { describe, expect, test } from "vitest";
import { CANDIDATE_KEPT_MS, MAX_CANDIDATES, MAX_HELD_SIZE, MAX_SDP } from "../../../schema/limits.ts";
import { fresh, hold, type Parcel } from "../../../workers/call/held.ts";
import { ADAS_PHONE, CALL_ID, TABLET } from "./call-script.ts";

const about = { callId: CALL_ID, rev: 3, from: ADAS_PHONE };
const sent = (...names: string[]) => ({
  ...about,
  type: "ice_candidate" as const,
  candidates: names.map((candidate) => ({ candidate })),
});
const offer = (sdp: string) => ({ ...about, type: "call_negotiate" as const, sdp, sdpType: "offer" as const });
const answer = (sdp: string) => ({ ...about, type: "call_negotiate" as const, sdp, sdpType: "answer" as const });

/** Everything at the same moment. */
function held(...messages: Parcel["message"][]): Parcel[] {
  return messages.reduce<Parcel[]>((before, message) => hold(before, message, 0), []);
}

/** What is held, in order, by the names of candidates and the texts of descriptions. */
function contents(parcels: readonly Parcel[]): string[] {
  return parcels.flatMap(({ message }) =>
    message.type === "call_negotiate" ? [message.sdp] : message.candidates.map(({ candidate }) => candidate),
  );
}

describe("[ICE-4] what is held for a device that is away", () => {
  test("stays in order", () => {
    expect(contents(held(sent("a", "b"), offer("o"), sent("c")))).toEqual(["a", "b", "o", "c"]);
  });

  test("is the latest offer, without the candidates of the one before", () => {
    expect(contents(held(sent("a"), offer("o1"), sent("b"), offer("o2"), sent("c")))).toEqual(["a", "o2", "c"]);
  });

  test("is an answer, and the offer after it", () => {
    const all = held(answer("a1"), sent("b"), offer("o1"), sent("c"), offer("o2"));
    expect(contents(all)).toEqual(["a1", "b", "o2"]);
  });

  test("is no offer that its own device has given up by answering", () => {
    expect(contents(held(offer("o1"), sent("b"), answer("a1"), sent("c")))).toEqual(["a1", "c"]);
  });

  test("is nobody else's to replace: of a handoff both connections are kept", () => {
    const other = { ...offer("second"), from: TABLET };
    expect(contents(held(offer("first"), other, { ...sent("b"), from: TABLET }))).toEqual(["first", "second", "b"]);
    expect(contents(held(offer("first"), other, offer("newer")))).toEqual(["second", "newer"]);
  });

  test("is at most 64 candidates of each generation, whatever their batches", () => {
    const names = (prefix: string) => Array.from({ length: MAX_CANDIDATES + 6 }, (_, i) => `${prefix}${i}`);
    const one = names("a").map((name) => sent(name));
    const all = contents(held(...one, offer("o"), sent(...names("b"))));
    expect(all).toHaveLength(2 * MAX_CANDIDATES + 1);
    expect(all.at(-1)).toBe(`b${MAX_CANDIDATES - 1}`);
  });

  test("is of use for 60 s", () => {
    const parcels = hold(held(sent("old")), sent("new"), CANDIDATE_KEPT_MS - 1);
    expect(contents(parcels)).toEqual(["old", "new"]);
    expect(contents(fresh(parcels, CANDIDATE_KEPT_MS))).toEqual(["new"]);
    expect(contents(hold(parcels, sent("newer"), CANDIDATE_KEPT_MS))).toEqual(["new", "newer"]);
  });

  test("says the end of candidates, also after too many", () => {
    const many = Array.from({ length: MAX_CANDIDATES }, (_, i) => `${i}`);
    const last = held(sent(...many), { ...sent("more"), endOfCandidates: true }).at(-1);
    expect(last?.message).toMatchObject({ candidates: [], endOfCandidates: true });
  });

  test("fits a row, whatever devices send: the oldest goes first", () => {
    const devices = Array.from({ length: 6 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`);
    const large = devices.map((deviceId) => ({
      ...offer(deviceId.padEnd(MAX_SDP, "x")),
      from: { ...ADAS_PHONE, deviceId },
    }));
    const parcels = held(...large);
    expect(JSON.stringify(parcels).length).toBeLessThanOrEqual(MAX_HELD_SIZE);
    expect(parcels.map(({ message }) => message.from.deviceId)).toEqual(devices.slice(-3));
  });
});
