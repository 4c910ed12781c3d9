import { once } from "node:events";
import { observer, type types } from "mediasoup";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { LoadMeter } from "../../sfu-node/load.ts";
import { WorkerPool } from "../../sfu-node/workers.ts";
import { ensureMediasoupWorker } from "../../tools/setup/mediasoup-worker.ts";

const BUILD_MS = 600_000;
const OPUS: types.RtpCodecCapability = {
  kind: "audio",
  mimeType: "audio/opus",
  clockRate: 48_000,
  channels: 2,
  preferredPayloadType: 100,
};

const log = vi.fn();
const pools: WorkerPool[] = [];
let workerBin = "";

beforeAll(async () => {
  workerBin = await ensureMediasoupWorker({ log: () => {} });
}, BUILD_MS);

afterEach(async () => {
  log.mockClear();
  observer.removeAllListeners("newworker");
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

async function open(changes: { count?: number; rtcPort?: number } = {}): Promise<WorkerPool> {
  const place = { listenIp: "127.0.0.1", announcedAddress: "127.0.0.1", rtcPort: 0 };
  const pool = await WorkerPool.open({ count: 1, ...place, workerBin, log, ...changes });
  pools.push(pool);
  return pool;
}

function only(pool: WorkerPool) {
  const [slot] = pool.alive;
  if (!slot) throw new Error("no worker is alive");
  return slot;
}

async function portOf({ webRtcServer }: { webRtcServer: types.WebRtcServer }): Promise<number | undefined> {
  return (await webRtcServer.dump()).udpSockets[0]?.port;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** An RTP packet (RFC 3550, section 5.1) of 10 bytes of sound. */
function rtpPacket(sequenceNumber: number, ssrc: number): Buffer {
  const packet = Buffer.alloc(22, 1);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8(100, 1);
  packet.writeUInt16BE(sequenceNumber, 2);
  packet.writeUInt32BE(sequenceNumber * 960, 4);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

/** A sound that goes through the router to one consumer. */
async function forward(router: types.Router) {
  const transport = await router.createDirectTransport();
  const producer = await transport.produce({
    kind: "audio",
    rtpParameters: {
      codecs: [{ mimeType: "audio/opus", payloadType: 100, clockRate: 48_000, channels: 2 }],
      encodings: [{ ssrc: 1_234 }],
    },
  });
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
  return { producer, consumer };
}

describe("the worker", () => {
  it("makes transports on its one port, as a room will", async () => {
    const { worker, webRtcServer } = only(await open());
    const router = await worker.createRouter({ mediaCodecs: [OPUS] });
    const transport = await router.createWebRtcTransport({ webRtcServer, enableTcp: true });
    const port = await portOf({ webRtcServer });
    expect(transport.iceCandidates).toEqual([
      expect.objectContaining({ protocol: "udp", address: "127.0.0.1", port }),
      expect.objectContaining({ protocol: "tcp", address: "127.0.0.1", port: expect.any(Number) }),
    ]);
    transport.close();
    router.close();
    expect((await worker.dump()).routerIds).toEqual([]);
  });
});

describe("the pool", () => {
  it("has a worker for each core, each with a port of its own from the first one on", async () => {
    const probe = await open();
    const free = await portOf(only(probe));
    await probe.close();
    const pool = await open({ count: 2, rtcPort: free ?? 0 });
    expect(await Promise.all(pool.alive.map(portOf))).toEqual([free, (free ?? 0) + 1]);
  });

  it("replaces a worker that was killed, on the same port, and tells of both", async () => {
    const probe = await open();
    const rtcPort = (await portOf(only(probe))) ?? 0;
    await probe.close();
    const pool = await open({ rtcPort });
    const { worker } = only(pool);
    const died = once(pool, "change");
    process.kill(worker.pid, "SIGKILL");
    await died;
    expect(pool.alive).toEqual([]);
    await once(pool, "change");
    expect(only(pool).worker.pid).not.toBe(worker.pid);
    expect(await portOf(only(pool))).toBe(rtcPort);
    expect(log.mock.calls.map(([event]) => event)).toEqual(["sfu_worker_died", "sfu_worker_replaced"]);
  });

  it("replaces a worker that is frozen: nobody else would notice", async () => {
    const pool = await open();
    const { worker } = only(pool);
    const died = once(worker, "died");
    process.kill(worker.pid, "SIGSTOP");
    await died;
    await once(pool, "change");
    expect(only(pool).worker.pid).not.toBe(worker.pid);
    expect(log.mock.calls.map(([event]) => event)).toEqual([
      "sfu_worker_frozen",
      "sfu_worker_died",
      "sfu_worker_replaced",
    ]);
  });

  it("keeps the other workers while one is replaced", async () => {
    const pool = await open({ count: 2 });
    const [first, second] = pool.alive;
    const died = once(pool, "change");
    process.kill(first?.worker.pid ?? 0, "SIGKILL");
    await died;
    expect(pool.alive).toEqual([second]);
    await once(pool, "change");
    expect(pool.alive).toHaveLength(2);
  });

  it("leaves it to the node what becomes of the workers when it is told to stop", async () => {
    const listeners = () => (["SIGINT", "SIGTERM"] as const).map((signal) => process.listeners(signal));
    const before = listeners();
    await open({ count: 2 });
    expect(listeners()).toEqual(before);
  });

  it("leaves no process behind, not even one that is frozen", async () => {
    const pool = await open({ count: 2 });
    const pids = pool.alive.map(({ worker }) => worker.pid);
    process.kill(pids[0] ?? 0, "SIGSTOP");
    await pool.close();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it("closes with a replacement under way, and leaves none of it behind", async () => {
    const pool = await open();
    const starts = once(observer, "newworker");
    process.kill(only(pool).worker.pid, "SIGKILL");
    const [replacement] = await starts;
    await pool.close();
    expect(replacement.subprocessClosed).toBe(true);
    expect(pool.alive).toEqual([]);
    expect(log).not.toHaveBeenCalledWith("sfu_worker_replaced", expect.anything());
  });

  it("does not open on a port that is taken, and leaves no process behind", async () => {
    const taken = await portOf(only(await open()));
    const started: types.Worker[] = [];
    observer.on("newworker", (worker) => started.push(worker));
    await expect(open({ rtcPort: taken ?? 0 })).rejects.toThrow(/EADDRINUSE|address already in use/i);
    expect(started.map(({ pid }) => isRunning(pid))).toEqual([false]);
  });
});

describe("the load", () => {
  it("counts consumers and the packets that go to them", async () => {
    const pool = await open();
    const meter = new LoadMeter(pool);
    const router = await only(pool).worker.createRouter({ mediaCodecs: [OPUS] });
    const { producer, consumer } = await forward(router);
    const received = new Promise<void>((resolve) => {
      let packets = 0;
      consumer.on("rtp", () => ++packets === 50 && resolve());
    });
    for (let i = 1; i <= 50; i++) producer.send(rtpPacket(i, 1_234));
    await received;
    const busy = await meter.measure();
    expect(busy).toMatchObject({ workers: 1, consumers: 1 });
    expect(busy.packetRate).toBeGreaterThan(0);
    expect(busy.cpu).toBeGreaterThan(0);
    expect(busy.cpu).toBeLessThanOrEqual(1);
    expect((await meter.measure()).packetRate).toBe(0);
    consumer.close();
    expect(await meter.measure()).toMatchObject({ consumers: 0 });
  });

  it("counts a packet once for each consumer that it goes to", async () => {
    const pool = await open();
    const router = await only(pool).worker.createRouter({ mediaCodecs: [OPUS] });
    const { producer, consumer } = await forward(router);
    const about = { producerId: producer.id, rtpCapabilities: router.rtpCapabilities };
    const transport = await router.createDirectTransport();
    for (const paused of [false, true]) await transport.consume({ ...about, paused });
    const now = vi.spyOn(performance, "now").mockReturnValue(1_000);
    const meter = new LoadMeter(pool);
    const received = new Promise<void>((resolve) => {
      let packets = 0;
      consumer.on("rtp", () => ++packets === 50 && resolve());
    });
    for (let i = 1; i <= 50; i++) producer.send(rtpPacket(i, 1_234));
    await received;
    now.mockReturnValue(2_000);
    const { consumers, packetRate } = await meter.measure();
    now.mockRestore();
    expect({ consumers, packetRate }).toEqual({ consumers: 3, packetRate: 100 });
  });

  it("goes on without a worker that died while it was asked", async () => {
    const pool = await open();
    const meter = new LoadMeter(pool);
    const died = once(pool, "change");
    process.kill(only(pool).worker.pid, "SIGKILL");
    expect(await meter.measure()).toMatchObject({ consumers: 0, packetRate: 0 });
    await died;
  });
});
