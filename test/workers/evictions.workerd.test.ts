import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Crashes } from "../support/crashes.ts";
import { Play, SCRIPTS, type Script } from "../support/play.ts";

async function undisturbed(script: Script): Promise<Play> {
  const play = await Play.begin(script);
  for (const [device, line] of play.lines) await play.say(device, line());
  return play;
}

describe.each(SCRIPTS)("objects that lose their memory, in a call %s", (_name, script) => {
  test("evicted after every message, sockets hibernating: every device is told exactly the same", async () => {
    const reference = await undisturbed(script);
    const play = await Play.begin(script);
    let evictions = 0;
    for (const [device, line] of play.lines) {
      await play.say(device, line());
      for (const stub of play.objects()) {
        await evictDurableObject(stub, { webSockets: "hibernate" });
        evictions++;
      }
    }
    expect(await play.history()).toEqual(await reference.history());
    expect(play.stories()).toEqual(reference.stories());
    expect(evictions).toBe(play.lines.length * 4);
  });

  test("evicted after every message, sockets closed: the history is the same and nothing rings on", async () => {
    const reference = await undisturbed(script);
    const play = await Play.begin(script);
    let evictions = 0;
    for (const [device, line] of play.lines) {
      await play.say(device, line());
      for (const stub of play.objects()) {
        await evictDurableObject(stub, { webSockets: "close" });
        evictions++;
      }
      for (const each of play.devices) await each.untilClosed();
      await play.reconnect();
    }
    expect(await play.history()).toEqual(await reference.history());
    expect(play.ringing()).toEqual([]);
    expect(evictions).toBe(play.lines.length * 4);
  });
});

describe.each(SCRIPTS)("objects that die between writing and performing, in a call %s", (_name, script) => {
  const crashes = new Crashes();
  beforeEach(() => crashes.arm());
  afterEach(() => crashes.disarm());

  /** Plays on after the n-th write of all objects was the last thing that its object did. */
  async function playWithCrash(nth: number): Promise<Play> {
    const play = await Play.begin(script);
    crashes.after(nth);
    for (const [device, line] of play.lines) {
      const said = await play.say(device, line()).then(
        () => "done",
        (error: unknown) => String(error),
      );
      const crashed = crashes.taken();
      if (!crashed) expect(said).toBe("done");
      if (!crashed) continue;
      await crashes.recover(crashed, play.callId);
      if (crashed.kind === "user") await play.untilClosed(crashed.userId);
      await play.reconnect();
      await play.say(device, line());
    }
    return play;
  }

  test("after every single write: there is one winner, nothing rings on and the history is the same", async () => {
    const reference = await undisturbed(script);
    const counted = await Play.begin(script);
    crashes.after(Number.POSITIVE_INFINITY);
    for (const [device, line] of counted.lines) await counted.say(device, line());
    const writes = crashes.writes;
    expect(writes).toBeGreaterThanOrEqual(5);
    for (let nth = 1; nth <= writes; nth++) {
      const play = await playWithCrash(nth);
      expect([nth, await play.history()]).toEqual([nth, await reference.history()]);
      expect([nth, play.ringing()]).toEqual([nth, []]);
    }
    expect(crashes.count).toBe(writes);
  });
});
