import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { FromNode, ToNode } from "../../../schema/room-socket.ts";
import type { WorkerPool } from "../../../sfu-node/workers.ts";
import { openWorkers, RoomOnNodes } from "../../support/room-nodes.ts";
import { mutated, mutations } from "../../support/stack-hostile.ts";
import { LibdatachannelStack } from "../../support/stack-libdatachannel.ts";
import { PaperStack } from "../../support/stack-paper.ts";
import { StackInRoom } from "../../support/stack-participant.ts";

const SEED = 20_261_131;
const OTHER_FINGERPRINT = Array.from({ length: 32 }, () => "AB").join(":");

let pool: WorkerPool;
let room: RoomOnNodes;
/** Two who talk, and should notice nothing of the third. */
let talking: StackInRoom[] = [];
let eve: PaperStack;
let requests = 0;

beforeAll(async () => {
  pool = await openWorkers(1);
}, 600_000);
afterAll(() => pool?.close());

beforeEach(async () => {
  room = await RoomOnNodes.open(pool);
  talking = [await comeIn("ada"), await comeIn("bob")];
  eve = new PaperStack({ payloadTypes: [96, 97, 98], extensionIds: [1, 5, 6, 4, 2] });
  eve.add("audio", "sendonly", [], 77);
  eve.add("video", "sendonly", [], 78);
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(talking.map(({ stack }) => stack.close()));
  room.close();
});

async function comeIn(id: string): Promise<StackInRoom> {
  const one = new StackInRoom(id, new LibdatachannelStack(id, { intervalMs: 20 }), (message) => room.tell(0, message));
  room.people.set(id, one);
  await one.join();
  return one;
}

type Request =
  | Omit<Extract<ToNode, { type: "participant_join" }>, "id" | "participantId">
  | Omit<Extract<ToNode, { type: "participant_offer" }>, "id" | "participantId">
  | Omit<Extract<ToNode, { type: "participant_answer" }>, "id" | "participantId">;

/** What the room says to that; of an answer that is right, nothing. */
async function ask(request: Request, participantId = "eve"): Promise<FromNode | undefined> {
  requests += 1;
  const id = String(requests);
  await room.tell(0, { ...request, id, participantId });
  return room.heard.find((message) => "re" in message && message.re === id);
}

const join = (sdp = eve.offer()) => ask({ type: "participant_join", sdp, tracks: [], muted: [] });
const offer = (sdp = eve.offer()) => ask({ type: "participant_offer", sdp, tracks: [] });
const answer = (sdp: string, negotiationId?: number) =>
  ask({ type: "participant_answer", sdp, ...(negotiationId !== undefined && { negotiationId }) });
const refusal = (message: string, code = "bad_message") =>
  expect.objectContaining({ type: "room_error", participantId: "eve", code, message });

const offersTo = (id: string) =>
  room.heard.flatMap((message) => (message.type === "room_offer" && message.participantId === id ? [message] : []));

/** A busy machine takes longer than a moment. */
/** The SFU's latest offer to Eve, which comes soon after something has changed. */
async function offered(count = 1) {
  await expect.poll(() => offersTo("eve").length).toBe(count);
  const [last] = offersTo("eve").slice(-1);
  if (!last) throw new Error("there is none");
  return last;
}

/** Whoever talks goes on getting the other's sound and pictures. */
async function expectTalk(): Promise<void> {
  const counts = async () =>
    (await Promise.all(talking.map((one) => one.got()))).flatMap((got) =>
      got.flatMap(({ participantId, packets }) => (participantId === "eve" ? [] : [packets])),
    );
  await expect.poll(async () => (await counts()).length).toBe(4);
  const before = await counts();
  await expect.poll(async () => (await counts()).every((count, at) => count > (before[at] ?? 0))).toBe(true);
  expect(talking.flatMap(({ refused }) => refused)).toEqual([]);
  expect(room.failures).toEqual([]);
}

describe("who is wrong is told so, and nobody else notices", () => {
  it.each<[string, (sdp: string) => string, string]>([
    ["is no description", () => "hello", "sdp: has no m-section"],
    [
      "has only data",
      (sdp) => sdp.replaceAll(/m=(?:audio|video) 9 UDP\/TLS\/RTP\/SAVPF.*/g, "m=application 9 UDP/DTLS/SCTP x"),
      "sdp: has no m-section of audio or video in a codec that a room knows",
    ],
    [
      "has only codecs that no room knows",
      (sdp) => sdp.replaceAll(/opus|VP8|VP9|H264|AV1/g, "fine"),
      "sdp: has no m-section of audio or video in a codec that a room knows",
    ],
    [
      "sends the same SSRC twice",
      (sdp) => sdp.replace("a=ssrc:78", "a=ssrc:77"),
      "sdp: the m-section of the camera describes nothing that can be received",
    ],
  ])("whose first offer %s", async (_title, change, message) => {
    expect(await join(change(eve.offer()))).toEqual(refusal(message));
    expect(room.heard.filter(({ type }) => type === "participant_tracks")).toHaveLength(2);
    await expectTalk();
    expect(await join()).toMatchObject({ type: "participant_joined" });
  });

  it("who is not in the room, and who comes twice", async () => {
    expect(await offer()).toEqual(refusal("join the room first", "not_in_call"));
    expect(await answer(eve.offer())).toEqual(refusal("join the room first", "not_in_call"));
    await join();
    expect(await join()).toEqual(refusal("participantId: is in the room"));
    await expectTalk();
  });

  it("[ROOM-12] who answers no offer is let go after 10 s", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await join();
    vi.advanceTimersByTime(50);
    await offered();
    vi.advanceTimersByTime(9_000);
    const lost = { type: "participant_lost", participantId: "eve", reason: "no_answer" };
    expect(room.heard).not.toContainEqual(lost);
    vi.advanceTimersByTime(1_000);
    expect(room.heard).toContainEqual(lost);
    expect(await offer()).toEqual(refusal("join the room first", "not_in_call"));
    // What is due by now is not to wait for a clock that stands still.
    vi.advanceTimersByTime(100);
    vi.useRealTimers();
    await expectTalk();
  });

  it("who answers wrongly, and may answer again", async () => {
    await join();
    const { sdp, negotiationId } = await offered();
    const right = eve.answer(sdp);
    const sections = right.split(/(?=m=)/);
    const refused = "sdp: the m-sections are not those of the offer";
    expect(await answer(right, negotiationId + 1)).toEqual(refusal("negotiationId: that offer is over"));
    expect(await answer(sections.slice(0, -1).join(""), negotiationId)).toEqual(refusal(refused));
    expect(await answer([...sections, sections.at(-1)?.replace("a=mid:", "a=mid:x")].join(""), negotiationId)).toEqual(
      refusal("sdp: the m-section xprobator is not in the BUNDLE: a room has one transport"),
    );
    expect(
      await answer(right.replace("a=mid:s2", "a=mid:s9").replace("BUNDLE 0 1 s2", "BUNDLE 0 1 s9"), negotiationId),
    ).toEqual(refusal(refused));
    expect(await answer(right.replaceAll(/(?<=sha-256 ).*/g, OTHER_FINGERPRINT), negotiationId)).toEqual(
      refusal("sdp: a=fingerprint is another than before: join anew"),
    );
    await expectTalk();
    expect(await answer(right, negotiationId)).toBeUndefined();
    expect(await answer(right, negotiationId)).toEqual(refusal("there is no offer that this could answer"));
    await expectTalk();
  });

  it("who offers wrongly, and goes on as before", async () => {
    await join();
    const { sdp, negotiationId } = await offered();
    await answer(eve.answer(sdp), negotiationId);
    const offersBefore = ["ada", "bob"].map((id) => offersTo(id).length);
    const good = eve.offer();
    const sections = good.split(/(?=m=)/);
    expect(await offer(good.replaceAll(/(?<=sha-256 ).*/g, OTHER_FINGERPRINT))).toEqual(
      refusal("sdp: a=fingerprint is another than before: join anew"),
    );
    expect(await offer(sections.slice(0, 3).join(""))).toEqual(refusal("sdp: has 2 m-sections, and had 7"));
    expect(await offer(good.replace("a=mid:0", "a=mid:zero").replace("BUNDLE 0", "BUNDLE zero"))).toEqual(
      refusal("sdp: m-section 0 was 0, and is zero"),
    );
    expect(await offer(good.replace("m=audio", "m=video"))).toEqual(
      refusal("sdp: m-section 0 was audio, and is video"),
    );
    await expectTalk();
    expect(["ada", "bob"].map((id) => offersTo(id).length)).toEqual(offersBefore);
    expect(await offer()).toMatchObject({ type: "offer_answered" });
  });

  it("whose offer cannot be served: what it sent before is sent again", async () => {
    await join();
    const { sdp, negotiationId } = await offered();
    await answer(eve.answer(sdp), negotiationId);
    await expect
      .poll(async () => (await talking[0]?.got())?.filter(({ participantId }) => participantId === "eve").length)
      .toBe(2);
    eve.add("video", "sendonly", [], 78);
    const twice = eve.offer().replaceAll("a=ssrc:77", "a=ssrc:79");
    expect(await offer(twice)).toEqual(
      refusal("sdp: the m-section of the screen describes nothing that can be received"),
    );
    await expectTalk();
    const tracks = room.heard.filter(
      (message) => message.type === "participant_tracks" && message.participantId === "eve",
    );
    const last = tracks.at(-1);
    const sources = last?.type === "participant_tracks" ? last.tracks.map(({ source }) => source) : [];
    expect(sources.sort()).toEqual(["camera", "microphone"]);
  });

  it("who offers while the SFU has offered: the SFU gives way, and offers the same again", async () => {
    await join();
    const first = await offered();
    expect(first.tracks).toHaveLength(4);
    const late = new PaperStack({ payloadTypes: [96, 97, 98], extensionIds: [1, 5, 6, 4, 2] });
    late.lines.push(...eve.lines.map((line) => ({ ...line })));
    expect(await offer()).toMatchObject({ type: "offer_answered", tracks: [] });
    expect(await answer(late.answer(first.sdp), first.negotiationId)).toEqual(
      refusal("there is no offer that this could answer"),
    );
    const second = await offered(2);
    expect(second.tracks).toEqual(first.tracks);
    expect(await answer(eve.answer(second.sdp), first.negotiationId)).toEqual(
      refusal("negotiationId: that offer is over"),
    );
    expect(await answer(eve.answer(second.sdp), second.negotiationId)).toBeUndefined();
    await expectTalk();
  });

  it("who offers whatever: it is taken, or refused with a reason", async () => {
    await join();
    const { sdp, negotiationId } = await offered();
    await answer(eve.answer(sdp), negotiationId);
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        const reply = await offer(mutated(eve.offer(), changes));
        if (reply?.type === "offer_answered") return;
        expect(reply).toMatchObject({
          type: "room_error",
          code: "bad_message",
          message: expect.stringMatching(/^sdp: .{5,}/),
        });
      }),
      { seed: SEED, numRuns: 300 },
    );
    await expectTalk();
  });

  it("who comes with whatever: it may, or is told why not", async () => {
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        const reply = await join(mutated(eve.offer(), changes));
        if (reply?.type === "participant_joined")
          await room.tell(0, { type: "participant_leave", participantId: "eve" });
        else
          expect(reply).toMatchObject({
            type: "room_error",
            code: "bad_message",
            message: expect.stringMatching(/^sdp: .{5,}/),
          });
      }),
      { seed: SEED, numRuns: 300 },
    );
    await expectTalk();
  });
});
