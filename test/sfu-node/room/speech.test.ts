import { randomBytes } from "node:crypto";
import { setInterval } from "node:timers/promises";
import type { types } from "mediasoup";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AudioLevels } from "../../../sfu-node/room/audio-levels.ts";
import { MEDIA_CODECS } from "../../../sfu-node/room/codecs.ts";
import type { WorkerPool } from "../../../sfu-node/workers.ts";
import { openWorkers } from "../../support/room-nodes.ts";

const OPUS = 111;
const LEVEL_ID = 3;
const LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const PACKET_MS = 20;
/** In -dBov: of somebody who speaks up, of a whisper below the threshold of 0.01, and of nothing. */
const [LOUD, WHISPER, SILENT] = [20, 50, 127];

let pool: WorkerPool;
let router: types.Router;
let levels: AudioLevels;
let spoke: string[] = [];
let ssrcs = 1_000;

beforeAll(async () => {
  pool = await openWorkers(1);
}, 600_000);
afterAll(() => pool?.close());

beforeEach(async () => {
  const [mediaWorker] = pool.alive;
  if (!mediaWorker) throw new Error("no worker");
  router = await mediaWorker.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
  spoke = [];
  levels = await AudioLevels.open(router, (participantId) => spoke.push(participantId));
});
afterEach(() => {
  levels.close();
  router.close();
});

/** A microphone whose sound nobody but its hearers can read. */
class Voice {
  readonly #producer: types.Producer;
  readonly #ssrc: number;
  #sequence = 0;

  constructor(producer: types.Producer, ssrc: number) {
    this.#producer = producer;
    this.#ssrc = ssrc;
  }

  static async of(participantId: string): Promise<Voice> {
    const ssrc = ssrcs++;
    const transport = await router.createDirectTransport();
    const producer = await transport.produce({
      kind: "audio",
      rtpParameters: {
        mid: "0",
        codecs: [{ mimeType: "audio/opus", payloadType: OPUS, clockRate: 48_000, channels: 2 }],
        headerExtensions: [{ uri: LEVEL_URI, id: LEVEL_ID }],
        encodings: [{ ssrc }],
      },
    });
    await levels.follow(participantId, producer);
    return new Voice(producer, ssrc);
  }

  /** Packets as a microphone sends them, for so long. */
  async says(level: number, ms: number): Promise<void> {
    let left = ms / PACKET_MS;
    for await (const _ of setInterval(PACKET_MS)) {
      this.#producer.send(this.#packet(level));
      if (--left <= 0) return;
    }
  }

  /** RFC 3550, section 5.1, with the level in a one-byte extension (RFC 6464, RFC 8285). */
  #packet(level: number): Buffer {
    this.#sequence += 1;
    const header = Buffer.alloc(20);
    header[0] = 0x90;
    header[1] = OPUS;
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(this.#sequence * 960, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    header.writeUInt32BE(0xbede0001, 12);
    header[16] = LEVEL_ID << 4;
    header[17] = level;
    return Buffer.concat([header, randomBytes(60)]);
  }
}

describe("[ROOM-8] who speaks", () => {
  it("is told when another one does, and never twice for the same, also on sound that is encrypted", async () => {
    const [ada, bob] = [await Voice.of("ada"), await Voice.of("bob")];
    await Promise.all([ada.says(LOUD, 600), bob.says(WHISPER, 600)]);
    expect(spoke).toEqual(["ada"]);
    await Promise.all([ada.says(SILENT, 600), bob.says(SILENT, 600)]);
    await Promise.all([ada.says(LOUD, 600), bob.says(SILENT, 600)]);
    expect(spoke).toEqual(["ada"]);
    await Promise.all([ada.says(SILENT, 600), bob.says(LOUD, 600)]);
    expect(spoke).toEqual(["ada", "bob"]);
    // With DTX only speakers send.
    await ada.says(LOUD, 600);
    expect(spoke).toEqual(["ada", "bob", "ada"]);
  });
});
