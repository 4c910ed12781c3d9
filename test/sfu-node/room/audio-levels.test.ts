import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { types } from "mediasoup";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AudioLevels } from "../../../sfu-node/room/audio-levels.ts";
import { MEDIA_CODECS } from "../../../sfu-node/room/codecs.ts";
import type { WorkerPool } from "../../../sfu-node/workers.ts";
import { openWorkers } from "../../support/room-nodes.ts";

const ID = 6;
/** More than half a window of packets of 20 ms, all at once. */
const BURST = 30;

let pool: WorkerPool;
let router: types.Router;
let levels: AudioLevels;
let windows: ReadonlyMap<string, number>[];

beforeAll(async () => {
  pool = await openWorkers(1);
});
afterAll(() => pool?.close());
beforeEach(async () => {
  const [slot] = pool.alive;
  if (!slot) throw new Error("the worker is gone");
  router = await slot.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
  levels = await AudioLevels.open(router);
  windows = [];
  levels.onLevels = (window) => windows.push(window);
});
afterEach(() => router.close());

/** Somebody's microphone: RTP in the clear, with a level in each packet (RFC 6464). */
class Microphone {
  readonly producer: types.Producer;
  readonly #socket = createSocket("udp4");
  readonly #port: number;
  #sequence = 0;

  private constructor(producer: types.Producer, port: number) {
    this.producer = producer;
    this.#port = port;
  }

  static async of(participantId: string): Promise<Microphone> {
    const listenInfo = { protocol: "udp", ip: "127.0.0.1" } as const;
    const transport = await router.createPlainTransport({ listenInfo, comedia: true, rtcpMux: true });
    const producer = await transport.produce({
      kind: "audio",
      rtpParameters: {
        codecs: [{ mimeType: "audio/opus", payloadType: 100, clockRate: 48_000, channels: 2 }],
        headerExtensions: [{ uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", id: ID }],
        encodings: [{ ssrc: 1 }],
      },
    });
    await levels.follow(participantId, producer);
    return new Microphone(producer, transport.tuple.localPort);
  }

  /** @param level null: the packets tell none */
  async says(level: number | null): Promise<void> {
    for (let sent = 0; sent < BURST; sent++) this.#socket.send(this.#packet(level), this.#port, "127.0.0.1");
    this.#socket.send(Buffer.alloc(0), this.#port, "127.0.0.1", () => this.#socket.emit("sent"));
    await once(this.#socket, "sent");
  }

  #packet(level: number | null): Buffer {
    this.#sequence += 1;
    const packet = Buffer.alloc(12 + (level === null ? 0 : 8) + 20);
    packet[0] = level === null ? 0x80 : 0x90;
    packet[1] = 100;
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#sequence * 960, 4);
    packet.writeUInt32BE(1, 8);
    // RFC 8285, section 4.2: one element of one byte.
    if (level !== null) packet.set([0xbe, 0xde, 0, 1, ID << 4, level], 12);
    return packet;
  }
}

function heard(): string[] {
  return windows.flatMap((window) => [...window.keys()]);
}

function loudest(): number {
  return Math.max(...windows.flatMap((window) => [...window.values()]));
}

describe("the audio levels of a room", () => {
  it.each<[string, number, number]>([
    ["0 dBov is full scale", 0, 1],
    ["20 dB below is a tenth", 20, 0.1],
    ["the bit of voice activity is no part of it", 0x80 | 20, 0.1],
    ["50 dB below is still a voice", 50, 0.003_16],
  ])("are linear: %s", async (_title, byte, level) => {
    await (await Microphone.of("ada")).says(byte);
    await expect.poll(loudest).toBeCloseTo(level, 5);
  });

  it("leave out who is silent, who is muted and who tells no level, and say when the silence begins", async () => {
    const microphones = new Map<string, Microphone>();
    for (const id of ["soft", "silent", "muted", "dumb", "ada"]) microphones.set(id, await Microphone.of(id));
    await microphones.get("muted")?.producer.pause();
    const said = { soft: 51, silent: 127, muted: 10, dumb: null, ada: 30 };
    for (const [id, level] of Object.entries(said)) await microphones.get(id)?.says(level);
    await expect.poll(heard).toContain("ada");
    await microphones.get("ada")?.says(127);
    await expect.poll(() => windows.at(-1)?.size).toBe(0);
    expect(new Set(heard())).toEqual(new Set(["ada"]));
  });

  it("are those of the loudest of a participant's tracks, until it has gone", async () => {
    const [microphone, screen] = [await Microphone.of("ada"), await Microphone.of("ada")];
    await microphone.says(40);
    await screen.says(20);
    await expect.poll(loudest).toBeCloseTo(0.1, 5);
    screen.producer.close();
    windows = [];
    await microphone.says(40);
    await expect.poll(loudest).toBeCloseTo(0.01, 5);
  });
});
