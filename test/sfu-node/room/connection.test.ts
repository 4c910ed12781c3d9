import fc from "fast-check";
import type { types } from "mediasoup";
import { parse } from "sdp-transform";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { MediaKind, TrackSource } from "../../../schema/room.ts";
import { roomCapabilities } from "../../../sfu-node/room/capabilities.ts";
import { MEDIA_CODECS } from "../../../sfu-node/room/codecs.ts";
import { Connection, type SfuOffer } from "../../../sfu-node/room/connection.ts";
import { Consumers, type Download } from "../../../sfu-node/room/consumers.ts";
import { numbersOf } from "../../../sfu-node/room/numbers.ts";
import { type MediaWorker, WorkerPool } from "../../../sfu-node/workers.ts";
import { ensureMediasoupWorker } from "../../../tools/setup/mediasoup-worker.ts";
import { collisions, excess } from "../../support/stack-description.ts";
import { type Direction, PaperStack } from "../../support/stack-paper.ts";

/** Fixed, so that a failure is found again; a seed that once failed is added to these. */
const SEEDS = [20_261_128, 20_261_129];
const RUNS = 60;

let pool: WorkerPool;
let mediaWorker: MediaWorker;
let router: types.Router;
/** Somebody else's tracks, in every codec of a room. */
const downloads: Download[] = [];

beforeAll(async () => {
  const workerBin = await ensureMediasoupWorker({ log: () => {} });
  const place = { listenIp: "127.0.0.1", announcedAddress: "127.0.0.1", rtcPort: 0 };
  pool = await WorkerPool.open({ count: 1, ...place, workerBin, log: () => {} });
  const [alive] = pool.alive;
  if (!alive) throw new Error("no worker");
  mediaWorker = alive;
  router = await mediaWorker.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
  const transport = await router.createDirectTransport();
  const codecs = (router.rtpCapabilities.codecs ?? []).filter(({ mimeType }) => !mimeType.endsWith("/rtx"));
  for (const [index, codec] of [...codecs, ...codecs].entries()) downloads.push(await produce(transport, codec, index));
}, 600_000);
afterAll(() => pool?.close());

async function produce(
  transport: types.DirectTransport,
  { kind, mimeType, clockRate, channels, parameters, preferredPayloadType = 0 }: types.RtpCodecCapability,
  index: number,
): Promise<Download> {
  const codec = {
    mimeType,
    clockRate,
    payloadType: preferredPayloadType,
    ...(channels && { channels }),
    parameters: parameters ?? {},
  };
  const layers = mimeType === "video/VP8" ? 3 : 1;
  const encodings = Array.from({ length: layers }, (_, layer) => ({ ssrc: 1_000 * (index + 1) + layer }));
  const producer = await transport.produce({ kind, rtpParameters: { codecs: [codec], encodings } });
  const source: TrackSource = kind === "audio" ? "microphone" : "camera";
  const participantId = `p${index}`;
  const key = `${participantId}/${source}`;
  return { key, kind, producerId: producer.id, participantId, source, isPaused: false, layer: 0, priority: 1 };
}

/** What happens to a connection. */
type Step =
  | { readonly type: "tracks"; readonly at: readonly number[] }
  | { readonly type: "sfu_offers" }
  | { readonly type: "client_answers"; readonly refusing: readonly number[] }
  | { readonly type: "client_offers"; readonly changes: readonly Change[] };
type Change =
  | {
      readonly type: "add";
      readonly kind: "audio" | "video";
      readonly direction: Direction;
      readonly isLayered: boolean;
    }
  | { readonly type: "turn"; readonly line: number; readonly direction: Direction }
  | { readonly type: "stop"; readonly line: number }
  | { readonly type: "restart" };

const direction = fc.constantFrom<Direction>("sendrecv", "sendonly", "recvonly", "inactive");
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("add" as const),
      kind: fc.constantFrom("audio" as const, "video" as const),
      direction,
      isLayered: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("turn" as const), line: fc.nat(20), direction }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("stop" as const), line: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const) }) },
);
const clientOffers = fc.record({
  type: fc.constant("client_offers" as const),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant("tracks" as const), at: fc.uniqueArray(fc.nat(11), { maxLength: 12 }) }),
  fc.record({ type: fc.constant("sfu_offers" as const) }),
  fc.record({
    type: fc.constant("client_answers" as const),
    refusing: fc.oneof(fc.constant([]), fc.array(fc.nat(20), { maxLength: 2 })),
  }),
  clientOffers,
);
/** Most stacks begin where the router's numbers are, or among them. */
const payloadTypes = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 96, max: 112 }), { minLength: 14, maxLength: 14 }),
  fc.uniqueArray(fc.constantFrom(96, 97, 100, 101, 103, 107, 109, 120, 126, 127, 35, 45), { minLength: 12 }),
);
/** Whatever its stack likes best. */
const preference = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
const extensionIds = fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { minLength: 6, maxLength: 14 });

/** A stack on paper and the SFU's side of its connection. */
class Pair {
  readonly client: PaperStack;
  readonly connection: Connection;
  wanted: readonly Download[] = [];
  #pending: SfuOffer | null = null;
  #ssrc = 1;

  constructor(client: PaperStack, connection: Connection) {
    this.client = client;
    this.connection = connection;
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case "tracks":
        this.wanted = step.at.flatMap((index) => downloads[index] ?? []);
        return this.connection.setDownloads(this.wanted);
      case "sfu_offers":
        return this.sfuOffers();
      case "client_answers":
        return this.answer(step.refusing);
      case "client_offers":
        for (const one of step.changes) this.#change(one);
        return this.clientOffers();
    }
  }

  async sfuOffers(): Promise<void> {
    const offer = await this.connection.offer();
    if (!offer) return;
    this.#pending = offer;
    this.#look(offer.sdp);
  }

  async answer(refusing: readonly number[] = []): Promise<void> {
    if (!this.#pending) return;
    const { sdp, negotiationId } = this.#pending;
    this.#pending = null;
    const mids = new Set(refusing.map((line) => this.client.lines[line]?.mid));
    const answer = this.client.answer(sdp, (mid) => (mids.has(mid) ? "inactive" : "recvonly"));
    await this.connection.takeAnswer(answer, negotiationId);
  }

  /** The client is impolite: an offer of the SFU's that it has not answered is none. */
  async clientOffers(): Promise<void> {
    this.#pending = null;
    const offer = this.client.offer();
    const sdp = await this.connection.takeOffer(offer, []);
    this.#look(sdp);
    expect(excess(offer, sdp)).toEqual([]);
    expect(parse(sdp).media.map(({ port }) => port === 0)).toEqual(
      this.client.lines.map(({ isRejected }) => isRejected),
    );
  }

  /** Nothing is left to be offered. */
  async settle(): Promise<void> {
    for (let round = 0; round < 10 && (this.#pending || this.connection.isOfferDue); round++) {
      await this.answer();
      await this.sfuOffers();
    }
    expect(this.#pending).toBeNull();
  }

  /** What holds of every description that the SFU writes. */
  #look(sdp: string): void {
    expect(collisions(sdp)).toEqual([]);
    const mids = parse(sdp).media.map(({ mid, type }) => `${mid} ${type}`);
    expect(mids.slice(0, this.client.lines.length)).toEqual(this.client.lines.map(({ mid, kind }) => `${mid} ${kind}`));
    expect(new Set(mids).size).toBe(mids.length);
  }

  #change(change: Change): void {
    if (change.type === "restart") {
      this.client.restartIce();
      return;
    }
    if (change.type === "add") {
      const { kind, isLayered } = change;
      const wanted = this.#allowed(kind, change.direction);
      this.#ssrc += 1;
      this.client.add(
        kind,
        wanted,
        isLayered && kind === "video" ? ["q", "h", "f"] : [],
        isLayered ? null : this.#ssrc,
      );
      return;
    }
    const at = change.line % this.client.lines.length;
    const line = this.client.lines[at];
    if (!line || line.isRejected) return;
    if (change.type === "stop") {
      // Of a connection something is left.
      if (at > 0) Object.assign(line, { isRejected: true, direction: "inactive" });
    } else line.direction = this.#allowed(line.kind, change.direction);
  }

  /** There are two sources of each kind. */
  #allowed(kind: MediaKind, wanted: Direction): Direction {
    const sending = this.client.lines.filter((line) => line.kind === kind && line.direction.startsWith("send"));
    return wanted.startsWith("send") && sending.length >= 2 ? "recvonly" : wanted;
  }
}

async function open(client: PaperStack): Promise<Pair> {
  const transport = await router.createWebRtcTransport({ webRtcServer: mediaWorker.webRtcServer });
  const capabilities = roomCapabilities(router.rtpCapabilities);
  return new Pair(
    client,
    new Connection({ transport, capabilities, numbers: numbersOf(capabilities), onTracks: () => {} }),
  );
}

it.each(SEEDS)(
  "no number means two things in any description, and each track is on one line in the end (seed %i)",
  async (seed) => {
    const about = fc.record({ payloadTypes, extensionIds, preference });
    const life = fc.array(step, { minLength: 3, maxLength: 25, size: "max" });
    await fc.assert(
      fc.asyncProperty(about, clientOffers, life, async (numbers, first, steps) => {
        const pair = await open(new PaperStack(numbers));
        try {
          pair.client.add("audio", "recvonly");
          await pair.clientOffers();
          for (const one of [first, ...steps]) await pair.take(one);
          // What was refused on the way may be offered once more after an offer of the client's.
          await pair.clientOffers();
          await pair.settle();
          const tracks = pair.connection.received.map(({ track }) => track);
          expect(tracks.sort()).toEqual(pair.wanted.map(({ key }) => key).sort());
        } finally {
          pair.connection.close();
        }
      }),
      { seed, numRuns: RUNS },
    );
  },
  120_000,
);

it("goes on receiving what a client sends, whatever its offers and answers say of feedback and new extensions", async () => {
  const pair = await open(new PaperStack({ payloadTypes: [120, 109, 100], extensionIds: [3, 4, 7] }));
  const producers = () => [...pair.connection.producers.values()].map(({ id }) => id);
  pair.client.add("audio", "sendonly");
  pair.client.add("video", "sendonly", ["q", "h", "f"]);
  await pair.clientOffers();
  await pair.settle();
  const before = producers();
  expect(before).toHaveLength(2);

  const [microphone, camera] = pair.client.offer().match(/a=rtpmap:\d+ (?:opus|VP8).*/g) ?? [];
  const said = (line = "") => `${line}\r\na=rtcp-fb:${/\d+/.exec(line)} goog-remb\r\na=extmap:14 urn:example:new`;
  const offer = pair.client
    .offer()
    .replace(microphone ?? "", said(microphone))
    .replace(camera ?? "", said(camera));
  await pair.connection.takeOffer(offer, []);
  expect(producers()).toEqual(before);

  await pair.take({ type: "tracks", at: [0, 1] });
  await pair.settle();
  expect(pair.connection.received).toHaveLength(2);
  expect(producers()).toEqual(before);
  pair.connection.close();
});

it("goes on when somebody's track ends while its m-section is accepted", async () => {
  const webRtc = await router.createWebRtcTransport({ webRtcServer: mediaWorker.webRtcServer });
  const direct = await router.createDirectTransport();
  const codecs = [{ mimeType: "audio/opus", clockRate: 48_000, channels: 2, payloadType: 100 }];
  const [about] = downloads;
  if (!about) throw new Error("there is no track");
  for (let ssrc = 1; ssrc <= 20; ssrc++) {
    const consumers = new Consumers(webRtc);
    const producer = await direct.produce({ kind: "audio", rtpParameters: { codecs, encodings: [{ ssrc }] } });
    await consumers.setDownloads([{ ...about, kind: "audio", producerId: producer.id }]);
    expect(await consumers.make(`m${ssrc}`, about.key, router.rtpCapabilities)).not.toBeNull();
    consumers.accept(about.key);
    // The worker takes the end first, then what is to be forwarded, and says so the other way round.
    producer.close();
    await consumers.forward();
  }
  webRtc.close();
  direct.close();
});
