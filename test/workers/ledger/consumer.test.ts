import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  callEvents,
  callParticipantDevices,
  callParticipants,
  callPushes,
  calls,
  userDevices,
  users,
} from "../../../schema/db/tables.ts";
import type { CallEvent, UserEvent } from "../../../schema/ledger.ts";
import { MAX_LOG } from "../../../schema/limits.ts";
import { type Database, openDatabase } from "../../../workers/ledger/database.ts";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";
import {
  answered,
  at,
  type Cast,
  cast,
  deviceEvent,
  ended,
  merged,
  nextId,
  pushEvent,
  ringing,
  userEvent,
} from "../../support/ledger-events.ts";
import { LedgerQueue } from "../../support/ledger-queue.ts";

describe.each(DATABASES)("the ledger on an $name", ({ open }) => {
  let database: TestDatabase;
  let db: Database;
  let queue: LedgerQueue;
  let ann: UserEvent;
  let bob: UserEvent;
  let people: Cast;

  beforeAll(async () => {
    database = await open();
    db = openDatabase({ DATABASE_URL: database.postgres.databaseUrl, NEON_LOCAL: database.postgres.neonLocal });
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    vi.spyOn(console, "log").mockReturnValue();
    await db.execute(sql`truncate users, call_pushes cascade`);
    queue = new LedgerQueue(database.postgres);
    ann = userEvent({ name: "Ann" });
    bob = userEvent({ name: "Bob" });
    people = cast({ caller: ann.userId, callee: bob.userId });
  });
  afterEach(() => vi.restoreAllMocks());

  /** All that the ledger has written. */
  async function everything() {
    const [allUsers, devices, allCalls, participants, stays, events, pushes] = await db.batch([
      db.select().from(users).orderBy(users.id),
      db.select().from(userDevices).orderBy(userDevices.id),
      db.select().from(calls).orderBy(calls.id),
      db.select().from(callParticipants).orderBy(callParticipants.callId, callParticipants.userId),
      db.select().from(callParticipantDevices).orderBy(callParticipantDevices.userId),
      db.select().from(callEvents).orderBy(callEvents.callId, callEvents.rev),
      db.select().from(callPushes).orderBy(callPushes.deviceId, callPushes.purpose),
    ]);
    return { users: allUsers, devices, calls: allCalls, participants, stays, events, pushes };
  }

  describe("writing", () => {
    it("writes a call that rang, was answered and ended, with its people and their devices", async () => {
      const phone = deviceEvent({
        userId: bob.userId,
        deviceId: people.calleeDevice,
        lastSeen: at(70),
        connectedAt: null,
      });
      queue.send(ann, bob, phone, ringing(people), answered(people), ended(people));
      await queue.deliver();

      const written = await everything();
      expect(written.calls).toEqual([
        {
          id: people.callId,
          initiatorId: ann.userId,
          callType: "video",
          state: "ended",
          outcome: "completed",
          endReason: "hung_up",
          answeredBy: people.calleeDevice,
          createdAt: new Date(at(0)),
          connectedAt: new Date(at(5)),
          endedAt: new Date(at(65)),
          durationSeconds: 60,
          revision: 3,
        },
      ]);
      expect(written.participants).toMatchObject([
        { userId: ann.userId, state: "left", deviceId: people.callerDevice, joinedAt: new Date(at(5)), legs: [] },
        { userId: bob.userId, state: "left", deviceId: people.calleeDevice, leftAt: new Date(at(65)) },
      ]);
      expect(written.participants).toMatchObject([
        { direction: "outgoing", outcome: "completed", hiddenAt: null },
        { direction: "incoming", outcome: "completed", legs: [{ deviceId: people.calleeDevice, state: "answered" }] },
      ]);
      expect(written.events).toMatchObject([
        { rev: 1, at: new Date(at(0)), kind: "initiated", data: { callType: "video", calleeIds: [bob.userId] } },
        { rev: 2, at: new Date(at(5)), kind: "answered", data: { by: { deviceId: people.calleeDevice } } },
        { rev: 3, at: new Date(at(65)), kind: "ended", data: { outcome: "completed", reason: "hung_up" } },
      ]);
      expect(written.stays.map(({ deviceId }) => deviceId)).toEqual([people.callerDevice, people.calleeDevice]);
      expect(written.devices).toMatchObject([{ userId: bob.userId, connectedAt: null, lastSeen: new Date(at(70)) }]);
      expect(queue.size).toBe(0);
    });

    it("finds a ringing and a connected call by the state that the index covers", async () => {
      queue.send(ann, bob, ringing(people));
      await queue.deliver();
      expect((await everything()).calls).toMatchObject([{ state: "ringing", outcome: null }]);
      queue.send(answered(people));
      await queue.deliver();
      expect((await everything()).calls).toMatchObject([{ state: "connected" }]);
    });

    it("writes a whole batch with one request, and of several revisions only the newest", async () => {
      const asked = vi.spyOn(globalThis, "fetch");
      queue.send(ann, ringing(people), bob, ended(people), answered(people));
      await queue.deliver();
      expect(asked).toHaveBeenCalledTimes(1);
      expect((await everything()).calls).toMatchObject([{ revision: 3 }]);
    });

    it("keeps both stays of a device that had the call twice", async () => {
      const call = ended(people);
      const [caller, callee] = call.participants;
      if (!caller || !callee) throw new Error("a call has two");
      const devices = [...callee.devices, { deviceId: people.calleeDevice, joinedAt: at(80), leftAt: at(90) }];
      queue.send(ann, bob, { ...call, participants: [caller, { ...callee, devices }] });
      await queue.deliver();
      expect((await everything()).stays).toHaveLength(3);
    });
  });

  describe("[LOG-2] what happened in a call", () => {
    it("is all there when what a later event does not hold comes after it", async () => {
      const [before, after] = [answered(people), ended(people)];
      queue.send(ann, bob, { ...after, log: after.log.filter(({ rev }) => rev > before.rev) });
      await queue.deliver();
      expect((await everything()).events.map(({ rev }) => rev)).toEqual([3]);
      queue.send(before);
      await queue.deliver();
      const { events, calls: rows } = await everything();
      expect(events.map(({ rev, kind }) => [rev, kind])).toEqual([
        [1, "initiated"],
        [2, "answered"],
        [3, "ended"],
      ]);
      expect(rows).toMatchObject([{ state: "ended", revision: 3 }]);
    });

    it("does not change once it is written", async () => {
      queue.send(ann, bob, ended(people));
      await queue.deliver();
      const { events } = await everything();
      const other: CallEvent = {
        ...ended(people),
        rev: 4,
        log: [{ rev: 3, at: at(99), kind: "missed", userId: nextId() }],
      };
      queue.send(other);
      await queue.deliver();
      expect((await everything()).events).toEqual(events);
    });

    it("says of each device how it was rung last", async () => {
      const [caller, callee] = answered(people).participants;
      if (!caller || !callee) throw new Error("a call has two");
      const legs = [{ deviceId: people.calleeDevice, state: "cancelled" as const }];
      queue.send(ann, bob, answered(people));
      await queue.deliver();
      queue.send({ ...ended(people), participants: [caller, { ...callee, legs }] });
      await queue.deliver();
      expect((await everything()).participants.map((row) => row.legs)).toEqual([[], legs]);
    });
  });

  describe("[LOG-4] what became of a push", () => {
    it("is kept, also when it comes before the call, and confirmed to nobody", async () => {
      const push = pushEvent({ callId: people.callId, userId: bob.userId, status: 200 });
      queue.send(push);
      await queue.deliver();
      const { kind, at: time, ...rest } = push;
      expect((await everything()).pushes).toEqual([{ ...rest, at: new Date(time) }]);
      expect([...queue.confirmedUsers, ...queue.confirmedCalls, ...queue.deadLetters]).toEqual([]);
    });

    it("is that of the last attempt, in whatever order and however often they come", async () => {
      const push = pushEvent({ callId: people.callId, userId: bob.userId, result: "retried", status: 503 });
      const last = { ...push, attempts: 2, result: "accepted" as const, status: 200, at: at(2) };
      for (const order of [
        [push, last],
        [last, push],
        [push, last, push, last],
      ]) {
        await db.execute(sql`truncate call_pushes`);
        for (const event of order) {
          queue.send(event);
          await queue.deliver();
        }
        expect((await everything()).pushes).toMatchObject([{ attempts: 2, result: "accepted", status: 200 }]);
        queue.send(...order);
        await queue.deliver();
        expect((await everything()).pushes).toMatchObject([{ attempts: 2, result: "accepted", at: new Date(at(2)) }]);
      }
    });

    it("is kept for each device and purpose", async () => {
      const push = pushEvent({ callId: people.callId, userId: bob.userId });
      queue.send(push, { ...push, purpose: "notice" }, { ...push, deviceId: nextId() });
      await queue.deliver();
      expect((await everything()).pushes).toHaveLength(3);
    });
  });

  describe("[GLARE-4] [HIST-6] a call that was merged into one in the other direction", () => {
    it.each([
      ["alone", [[merged]]],
      ["after it rang", [[ringing], [merged]]],
      ["before the ring is told", [[merged], [ringing]]],
      ["together with its ring", [[ringing, merged]]],
      ["again and again", [[ringing], [merged], [ringing, merged], [ringing]]],
    ])("leaves a row that guards it and nobody in it: told %s", async (_how, batches) => {
      queue.send(ann, bob);
      for (const batch of batches) {
        queue.send(...batch.map((event) => event(people)));
        await queue.deliver();
      }
      const written = await everything();
      expect(written.calls).toMatchObject([
        { id: people.callId, outcome: null, endReason: "glare_merged", revision: 2 },
      ]);
      expect({ participants: written.participants, stays: written.stays }).toEqual({ participants: [], stays: [] });
      expect(queue.confirmedCalls).toContainEqual({ callId: people.callId, rev: 2 });
    });

    it("does so also when two consumers bring the ring and the merge at once", async () => {
      queue.send(ann, bob);
      await queue.deliver();
      const consumers = [ringing(people), merged(people)].map((event) => {
        const consumer = new LedgerQueue(database.postgres);
        consumer.send(event);
        return consumer;
      });
      await Promise.all(consumers.map((consumer) => consumer.deliver()));
      expect((await everything()).participants).toEqual([]);
    });
  });

  describe("order and repetition", () => {
    it("ignores a revision that comes late", async () => {
      queue.send(ann, bob, ended(people));
      await queue.deliver();
      const before = await everything();
      queue.send(answered(people));
      await queue.deliver();
      queue.send(ringing(people), { ...ann, rev: 1, name: "Old" });
      await queue.deliver();
      expect(await everything()).toEqual(before);
    });

    it("ignores other content under a revision that it has, people included", async () => {
      queue.send(ann, bob, ended(people));
      await queue.deliver();
      const before = await everything();
      const other = ringing(people);
      queue.send({ ...other, rev: 3 }, { ...bob, name: "Bobby" });
      await queue.deliver();
      expect(await everything()).toEqual(before);
    });

    it("takes every order of the revisions of a call to the same rows", async () => {
      const [one, two, three] = [ringing(people), answered(people), ended(people)];
      queue.send(ann, bob, one, two, three);
      await queue.deliver();
      const expected = await everything();
      const orders = [
        [one, three, two],
        [two, one, three],
        [two, three, one],
        [three, one, two],
        [three, two, one],
      ];
      for (const order of orders) {
        await db.execute(sql`truncate calls cascade`);
        for (const event of order) {
          queue.send(event);
          await queue.deliver();
        }
        expect(await everything()).toEqual(expected);
      }
    });

    it("[LEDGER-1] is the same after everything was delivered twice, together or one by one", async () => {
      const device = deviceEvent({ userId: ann.userId });
      const all = [
        ann,
        bob,
        device,
        ringing(people),
        answered(people),
        ended(people),
        { ...ann, rev: 2, name: "Anna" },
      ];
      queue.send(...all);
      await queue.deliver();
      const once = await everything();
      queue.send(...all, ...all);
      await queue.deliver();
      for (const event of all) {
        queue.send(event);
        await queue.deliver();
      }
      expect(await everything()).toEqual(once);
      expect(once.users).toMatchObject([{ name: "Anna", revision: 2 }, { name: "Bob" }]);
    });

    it("gives a device to the user who signed in on it last, and no old event takes it back", async () => {
      const deviceId = nextId();
      const anns = deviceEvent({ userId: ann.userId, deviceId, rev: 9, connectedAt: at(10) });
      const annsLeft = { ...anns, rev: 10, connectedAt: null, lastSeen: at(20) };
      const bobs = deviceEvent({ userId: bob.userId, deviceId, rev: 1, connectedAt: at(30) });
      queue.send(ann, bob, anns);
      await queue.deliver();
      for (const event of [annsLeft, bobs, anns, annsLeft]) {
        queue.send(event);
        await queue.deliver();
      }
      expect((await everything()).devices).toMatchObject([{ userId: bob.userId, connectedAt: new Date(at(30)) }]);
      queue.send(anns, bobs);
      await queue.run(600);
      expect((await everything()).devices).toMatchObject([{ userId: bob.userId }]);
      expect(queue.deadLetters).toEqual([]);
    });

    it("writes what two consumers bring at once", async () => {
      queue.send(ann, bob);
      await queue.deliver();
      const others = [answered(people), ringing(people), ended(people)].map((event) => {
        const consumer = new LedgerQueue(database.postgres);
        consumer.send(ann, event, bob);
        return consumer;
      });
      await Promise.all(others.map((consumer) => consumer.deliver()));
      const written = await everything();
      expect(written.calls).toMatchObject([{ state: "ended", revision: 3 }]);
      expect(written.participants).toMatchObject([{ state: "left" }, { state: "left" }]);
    });
  });

  describe("confirming", () => {
    it("tells each user's object once what is written, by the key of its outbox", async () => {
      const device = deviceEvent({ userId: ann.userId, rev: 4 });
      queue.send({ ...ann, rev: 2 }, ann, device, bob);
      await queue.deliver();
      expect(queue.confirmedUsers).toEqual([
        {
          userId: ann.userId,
          entries: [
            { key: "user", rev: 2 },
            { key: `device:${device.deviceId}`, rev: 4 },
          ],
        },
        { userId: bob.userId, entries: [{ key: "user", rev: 1 }] },
      ]);
    });

    it("tells a call's object its end and nothing before", async () => {
      queue.send(ann, bob, answered(people));
      await queue.deliver();
      expect(queue.confirmedCalls).toEqual([]);
      queue.send(ended(people));
      await queue.deliver();
      expect(queue.confirmedCalls).toEqual([{ callId: people.callId, rev: 3 }]);
    });

    it("tells a call's object also what it should not keep until the end, when there is much of it", async () => {
      const held = (n: number) => ({
        rev: n,
        at: at(n),
        kind: "held" as const,
        by: { userId: ann.userId },
        on: n % 2 === 0,
      });
      const long = (length: number): CallEvent => ({
        ...answered(people),
        rev: length,
        log: Array.from({ length }, (_, i) => held(i + 1)),
      });
      queue.send(ann, bob, long(MAX_LOG - 1));
      await queue.deliver();
      expect(queue.confirmedCalls).toEqual([]);
      queue.send(long(MAX_LOG));
      await queue.deliver();
      expect(queue.confirmedCalls).toEqual([{ callId: people.callId, rev: MAX_LOG }]);
      expect((await everything()).events).toHaveLength(MAX_LOG);
    });

    it("tells nothing before it is written", async () => {
      await database.postgres.endpoint?.stop();
      queue.send(ann, bob, ended(people));
      await queue.deliver();
      await database.postgres.endpoint?.start();
      expect([...queue.confirmedUsers, ...queue.confirmedCalls]).toEqual([]);
    });

    it("does not hold up the rest for an object that does not answer", async () => {
      queue.unreachable.add(ann.userId);
      queue.send(ann, bob, ended(people));
      await queue.deliver();
      expect(queue.confirmedUsers.map(({ userId }) => userId)).toEqual([bob.userId]);
      expect(queue.confirmedCalls).toHaveLength(1);
      expect(queue.size).toBe(0);
    });
  });

  describe("[LEDGER-5] what comes before the users that it speaks of", () => {
    it("is written at once, and they are completed whenever they come", async () => {
      const phone = deviceEvent({ userId: bob.userId });
      queue.send(ended(people), phone);
      await queue.deliver();
      expect((await everything()).calls).toMatchObject([{ state: "ended", revision: 3 }]);
      expect((await everything()).devices).toMatchObject([{ userId: bob.userId }]);
      expect((await everything()).users).toMatchObject([
        { id: ann.userId, name: `User ${ann.userId.slice(-8)}`, revision: 0 },
        { id: bob.userId, name: `User ${bob.userId.slice(-8)}`, revision: 0 },
      ]);
      expect(queue.confirmedCalls).toEqual([{ callId: people.callId, rev: 3 }]);

      await queue.run(3_600);
      queue.send(ann, bob);
      await queue.deliver();
      expect((await everything()).users).toMatchObject([{ name: "Ann", revision: 1 }, { name: "Bob" }]);
      expect(queue.deadLetters).toEqual([]);
    });

    it("takes nothing back from a user who is known", async () => {
      queue.send(ann, bob);
      await queue.deliver();
      queue.send(ended(people));
      await queue.deliver();
      expect((await everything()).users).toMatchObject([{ name: "Ann" }, { name: "Bob" }]);
    });

    it("is written by two batches at once that each bring a user of the other's call", async () => {
      const pairs = Array.from({ length: 10 }, () => [userEvent({ name: "A" }), userEvent({ name: "B" })] as const);
      const consumers = pairs.flatMap(([a, b]) =>
        [
          [a, b],
          [b, a],
        ].map(([own, other]) => {
          const consumer = new LedgerQueue(database.postgres);
          if (own && other) consumer.send(own, ended(cast({ caller: own.userId, callee: other.userId })));
          return consumer;
        }),
      );
      await Promise.all(consumers.map((consumer) => consumer.deliver()));
      expect((await everything()).calls).toHaveLength(20);
      expect(consumers.map(({ size }) => size)).toEqual(consumers.map(() => 0));
    });
  });

  describe("what Postgres refuses", () => {
    /** Whatever else is there, no text of Postgres holds a NUL. */
    const poison = () => userEvent({ name: "nul \u0000" });

    it("[LEDGER-4] writes all the others of a batch with an event that it never takes, which ends as a dead letter", async () => {
      const refused = poison();
      queue.send(ann, refused, bob, ended(people));
      await queue.deliver();
      expect((await everything()).calls.map(({ id }) => id)).toEqual([people.callId]);
      expect(queue.deadLetters).toEqual([]);

      await queue.run(600);
      expect(queue.deadLetters).toMatchObject([{ body: refused }]);
      expect(queue.size).toBe(0);
      expect(queue.confirmedUsers).toContainEqual({ userId: refused.userId, entries: [{ key: "user", rev: 1 }] });
    });

    it("tries an event five times before it gives it up", async () => {
      queue.send(poison());
      await queue.run(600);
      expect(queue.deliveries).toBe(5);
      expect(queue.deadLetters).toHaveLength(1);
    });

    it("gives up a value that Postgres cannot hold, and only that", async () => {
      queue.send({ ...ann, name: "nul \u0000" }, bob);
      await queue.run(600);
      expect((await everything()).users).toMatchObject([{ name: "Bob" }]);
      expect(queue.deadLetters).toMatchObject([
        { reason: expect.stringMatching(/^22P05/), body: { userId: ann.userId } },
      ]);
      expect(queue.confirmedUsers.map(({ userId }) => userId).sort()).toEqual([ann.userId, bob.userId].sort());
    });

    it("lays a body that is no event with the dead letters at once, whatever it is", async () => {
      const wrong = [
        null,
        "text",
        {},
        { kind: "refused" },
        { ...ann, rev: 0 },
        { ...ann, userId: "1; drop table users" },
      ];
      queue.send(...wrong, bob);
      await queue.deliver();
      expect(queue.deadLetters.map((letter) => Object(letter).body)).toEqual(wrong);
      expect((await everything()).users).toMatchObject([{ name: "Bob" }]);
      expect(queue.size).toBe(0);
    });

    it("keeps the messages that it could not lay with the dead letters", async () => {
      const { env } = queue;
      const broken = { ...env, DEAD_LETTERS: { send: async () => Promise.reject(new Error("the queue is down")) } };
      const retried = vi.fn();
      const { consume } = await import("../../../workers/ledger/consumer.ts");
      await consume({ messages: [{ body: null, attempts: 1, ack: () => {}, retry: retried }] }, broken);
      expect(retried).toHaveBeenCalledExactlyOnceWith({ delaySeconds: 4 });
    });
  });

  describe("a database that is down", () => {
    it("[LEDGER-3] has the whole history after 10 minutes without it, and gave nothing up", async () => {
      queue.send(ann, bob);
      await queue.deliver();
      await database.postgres.endpoint?.stop();
      const days = Array.from({ length: 20 }, () => cast({ caller: ann.userId, callee: bob.userId }));
      for (const day of days) {
        queue.send(ringing(day));
        await queue.run(queue.now + 10);
        queue.send(answered(day));
        await queue.run(queue.now + 10);
        queue.send(ended(day));
        await queue.run(queue.now + 10);
      }
      expect(queue.now).toBe(600);
      expect(queue.size).toBe(60);

      await database.postgres.endpoint?.start();
      await queue.run(660);
      const written = await everything();
      expect(written.calls).toHaveLength(20);
      expect(new Set(written.calls.map(({ state }) => state))).toEqual(new Set(["ended"]));
      expect(queue.confirmedCalls.map(({ callId }) => callId).sort()).toEqual(days.map(({ callId }) => callId).sort());
      expect({ deadLetters: queue.deadLetters, waiting: queue.size }).toEqual({ deadLetters: [], waiting: 0 });
    });

    it("does not count the attempts of an outage against an event that is then refused", async () => {
      await database.postgres.endpoint?.stop();
      queue.send(userEvent({ name: "nul \u0000" }));
      await queue.run(600);
      await database.postgres.endpoint?.start();
      const before = queue.deliveries;
      await queue.run(1200);
      expect(queue.deliveries - before).toBe(5);
      expect(queue.deadLetters).toHaveLength(1);
    });

    it("takes a database that says nothing for 10 s for one that is down", async () => {
      const silence = vi.spyOn(AbortSignal, "timeout").mockReturnValueOnce(AbortSignal.abort());
      queue.send(ann);
      await queue.deliver();
      expect(silence).toHaveBeenCalledWith(10_000);
      expect(queue.size).toBe(1);
      await queue.run(10);
      expect((await everything()).users).toHaveLength(1);
    });

    it("waits longer with each attempt, up to a minute", async () => {
      await database.postgres.endpoint?.stop();
      queue.send(ann);
      const delivered: number[] = [];
      for (let second = 0; second <= 250; second++) {
        const before = queue.deliveries;
        await queue.run(second);
        if (queue.deliveries > before) delivered.push(second);
      }
      await database.postgres.endpoint?.start();
      expect(delivered).toEqual([0, 4, 12, 28, 60, 120, 180, 240]);
    });

    it("counts a missing table as that, not as the events' fault", async () => {
      await db.execute(sql`alter table users rename to users_away`);
      queue.send(ann, bob);
      await queue.run(1200);
      await db.execute(sql`alter table users_away rename to users`);
      await queue.run(1300);
      expect((await everything()).users).toHaveLength(2);
      expect(queue.deadLetters).toEqual([]);
    });
  });

  it("logs no id in full and nothing that a user wrote", async () => {
    const lines = vi.mocked(console.log);
    queue.unreachable.add(bob.userId);
    const poison = userEvent({ name: "nul \u0000" });
    queue.send({ ...ann, name: "Secret Name" }, bob, poison, null);
    await queue.run(600);
    const logged = lines.mock.calls.flat().join("\n");
    for (const event of ["ledger_written", "ledger_refused", "ledger_dead_letter", "ledger_confirm_failed"]) {
      expect(logged).toContain(event);
    }
    for (const secret of [ann.userId, bob.userId, poison.userId, "Secret Name"]) expect(logged).not.toContain(secret);
  });
});
