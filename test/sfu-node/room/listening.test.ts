import { createSocket } from "node:dgram";
import { afterEach, expect, it, vi } from "vitest";
import { ListeningThread, listen } from "../../../sfu-node/room/listening.ts";

afterEach(() => void vi.restoreAllMocks());

/** An RTP packet (RFC 3550, section 5.1) with a level in its header extension (RFC 6464, RFC 8285). */
function packet(ssrc: number, level: number): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x90;
  header.writeUInt32BE(ssrc, 8);
  header.writeUInt32BE(0xbede0001, 12);
  header[16] = 1 << 4;
  header[17] = level;
  return header;
}

it("[ROOM-8] hears each room by itself, and a room that is closed no more", async () => {
  const spoke: string[] = [];
  const [one, other] = await Promise.all(
    ["one", "other"].map((room) => listen((id) => spoke.push(`${id} in ${room}`))),
  );
  if (!one || !other) throw new Error("there is no ear");
  const mouth = createSocket("udp4");
  const say = (port: number) => mouth.send(packet(7, 10), port, "127.0.0.1");
  for (const ear of [one, other]) ear.follow(7, { participantId: "ada", id: 1 });
  await expect.poll(() => say(one.port) ?? spoke).toEqual(["ada in one"]);
  other.close();
  one.gone("ada");
  await expect.poll(() => say(one.port) ?? spoke).toEqual(["ada in one", "ada in one"]);
  one.close();
  mouth.close();
});

it("says so when the thread fails, and whoever waits for it hears of it", async () => {
  const logged = vi.spyOn(console, "log").mockReturnValue();
  const thread = new ListeningThread(new URL("data:text/javascript,throw new Error('of the test')"));
  await expect(thread.listen(() => {})).rejects.toThrow("of the test");
  expect(thread.isGone).toBe(true);
  expect(logged.mock.calls.flat().join()).toContain("sfu_listening_thread_failed");
});
