import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenRefreshed } from "../../schema/server-messages.ts";
import { Device } from "../support/device.ts";
import { Edge, type Person } from "../support/edge.ts";
import { connect, initiate, ring, scene } from "../support/scene.ts";
import { token as tokenWith } from "../support/tokens.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

/** Comes back knowing what it knew when it registered before. */
async function returning(person: Person, before: Device): Promise<Device> {
  const { seq } = await before.until(() => before.heard.find((m) => m.type === "registered"), "registered");
  const back = await Device.open(`${edge.ws}/ws`, person.token, person.userId, before.deviceId);
  back.send({ type: "register", deviceId: before.deviceId, deviceType: "Web", since: seq });
  return back;
}

describe("a device that comes back", () => {
  test("[RES-1] hears how the calls ended that ended since it was last here", async () => {
    const people = await scene(edge);
    const { bob, caller, tablet, phone } = people;
    await tablet.close();
    const { callId } = await initiate(caller, bob.userId);
    await phone.next("incoming_call");
    await caller.ask({ type: "call_end", callId });
    await phone.next("call_cancelled");
    const back = await returning(bob, tablet);
    const { calls } = await back.next("registered");
    expect(calls).toMatchObject([{ callId, state: "ended", outcome: "cancelled" }]);
    await back.settle();
    expect(back.story()).toEqual(["registered"]);
  });

  test("[CALL-12] [CONN-5] is not rung again by what it has silenced; the others ring on", async () => {
    const people = await scene(edge);
    const { bob, phone, tablet } = people;
    const callId = await ring(people);
    await phone.ask({ type: "call_decline", callId, reason: "ignored" });
    await tablet.ask({ type: "call_decline", callId, reason: "busy" });
    for (const device of [phone, tablet]) {
      device.vanish();
      const back = await edge.device(bob, device.deviceId);
      await back.settle();
      expect(back.story()).toEqual(["registered"]);
    }
    people.laptop.vanish();
    const laptop = await edge.device(bob, people.laptop.deviceId);
    expect(await laptop.next("incoming_call")).toMatchObject({ callId });
  });

  test("[RES-1] on a call socket hears how that call stands, also when it is over: seq is its rev, and no cursor", async () => {
    const people = await scene(edge);
    const { bob, caller, phone } = people;
    const callId = await connect(people);
    const open = async (since?: number) => {
      const socket = await Device.open(`${edge.ws}/calls/${callId}/ws`, bob.token, bob.userId, phone.deviceId);
      const cursor = since === undefined ? {} : { since };
      socket.send({ type: "register", deviceId: phone.deviceId, deviceType: "Web", ...cursor });
      return socket.next("registered");
    };
    const live = await open();
    expect(live.calls).toMatchObject([{ callId, state: "connecting", rev: live.seq }]);
    await caller.ask({ type: "call_end", callId });
    const over = await open(live.seq + 1_000);
    expect(over.calls).toMatchObject([{ callId, state: "ended", outcome: "completed", rev: over.seq }]);
    expect(over.seq).toBe(live.seq + 1);
  });

  test("[RES-3] is told to go on with a call that it is in, and to give up one that is over", async () => {
    const people = await scene(edge);
    const { bob, caller, phone } = people;
    const callId = await connect(people);
    phone.vanish();
    const back = await edge.device(bob, phone.deviceId);
    expect(await back.next("recover")).toMatchObject({ callId, action: "resume" });
    back.vanish();
    await caller.ask({ type: "call_end", callId });
    const again = await returning(bob, back);
    expect(await again.next("recover")).toMatchObject({ callId, action: "leave" });
  });

  test("[CONN-7] an old connection that registers after a newer one is closed, and the newer stays", async () => {
    const people = await scene(edge);
    const { bob, phone } = people;
    const open = () => Device.open(`${edge.ws}/ws`, bob.token, bob.userId, phone.deviceId);
    const old = await open();
    const newer = await open();
    await newer.register();
    old.send({ type: "register", deviceId: phone.deviceId, deviceType: "Web" });
    expect(await old.untilClosed()).toMatchObject({ code: 4000 });
    await newer.settle();
    expect(newer.closed).toBeNull();
    await ring({ ...people, phone: newer });
  });

  test("[CONN-7] on a call socket as well", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    const { bob, phone } = people;
    const open = () => Device.open(`${edge.ws}/calls/${callId}/ws`, bob.token, bob.userId, phone.deviceId);
    const old = await open();
    const newer = await open();
    await newer.register();
    old.send({ type: "register", deviceId: phone.deviceId, deviceType: "Web" });
    expect(await old.untilClosed()).toMatchObject({ code: 4000 });
    await newer.settle();
    expect(newer.closed).toBeNull();
  });
});

describe("the token of an open socket", () => {
  const tokenOf = (sub: string, seconds: number) =>
    tokenWith({ claims: { sub }, expires: Math.floor(Date.now() / 1000) + seconds });

  test("[CONN-8] is renewed by token_refresh; somebody else's, a bad and an expired one are refused", async () => {
    const { bob, phone, ada } = await scene(edge);
    const renewed = await phone.ask({ type: "token_refresh", token: await tokenOf(bob.userId, 3_600) });
    expect(Date.parse(TokenRefreshed.parse(renewed).expiresAt)).toBeGreaterThan(Date.now() + 3_500_000);
    for (const token of [ada.token, "none", await tokenOf(bob.userId, -10)]) {
      expect(await phone.ask({ type: "token_refresh", token })).toMatchObject({ code: "unauthorized" });
    }
    await phone.settle();
    expect(phone.closed).toBeNull();
  });

  test("[CONN-8] gives notice when it expires", async () => {
    const bob = await edge.person("Bob");
    const token = await tokenOf(bob.userId, 2);
    const phone = await edge.device({ ...bob, token });
    expect(await phone.next("error")).toMatchObject({ code: "unauthorized" });
    const renewed = await phone.ask({ type: "token_refresh", token: await tokenOf(bob.userId, 600) });
    expect(renewed).toMatchObject({ type: "token_refreshed" });
  });
});
