import { afterAll, beforeAll, expect, it } from "vitest";
import { MEDIA_CODECS } from "../../../sfu-node/room/codecs.ts";
import { Pipe } from "../../../sfu-node/room/pipe.ts";
import type { WorkerPool } from "../../../sfu-node/workers.ts";
import { openWorkers } from "../../support/room-nodes.ts";

let pool: WorkerPool;

beforeAll(async () => {
  pool = await openWorkers(1);
}, 600_000);
afterAll(() => pool?.close());

it("sends a track once, also when it is asked to twice at once: as it is connected while somebody begins to send", async () => {
  const [mediaWorker] = pool.alive;
  if (!mediaWorker) throw new Error("no worker");
  const router = await mediaWorker.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
  const transport = await router.createDirectTransport();
  const codecs = [{ mimeType: "audio/opus", payloadType: 100, clockRate: 48_000, channels: 2 }];
  const producer = await transport.produce({ kind: "audio", rtpParameters: { codecs, encodings: [{ ssrc: 1 }] } });
  const listenInfo = { protocol: "udp", ip: "127.0.0.1" } as const;
  const pipe = await Pipe.open({ router, listenInfo, announcedAddress: "127.0.0.1", peerNodeId: "other" });
  const outgoing = { participantId: "p1", source: "microphone", producer } as const;
  const sent = await Promise.all([pipe.send(outgoing), pipe.send(outgoing)]);
  expect(sent).toEqual([expect.objectContaining({ producerId: producer.id }), null]);
  expect(mediaWorker.consumers.size).toBe(1);
  router.close();
});
