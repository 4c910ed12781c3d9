import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { HistoryResponse } from "../../../schema/http.ts";
import { CursorRefused } from "../../../workers/ledger/cursor.ts";
import { type Database, openDatabase } from "../../../workers/ledger/database.ts";
import {
  hideCall,
  historyQuery,
  listAcquaintances,
  listCalls,
  listUsers,
  liveCounts,
  ping,
} from "../../../workers/ledger/history.ts";
import { writeEvents } from "../../../workers/ledger/writes.ts";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";
import { answered, at, cast, deviceEvent, ended, nextId, ringing, userEvent } from "../../support/ledger-events.ts";

describe.each(DATABASES)("the history on an $name", ({ open }) => {
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await open();
    db = openDatabase({ DATABASE_URL: database.postgres.databaseUrl, NEON_LOCAL: database.postgres.neonLocal });
  });
  afterAll(() => database.close());

  /** Two users, and as many calls between them as asked for, a second apart unless told. */
  async function callsBetween(count: number, createdAt: (n: number) => string = at) {
    const ann = userEvent({ name: "Ann" });
    const bob = userEvent({ name: "Bob" });
    const people = Array.from({ length: count }, () => cast({ caller: ann.userId, callee: bob.userId }));
    await writeEvents(db, [ann, bob, ...people.map((pair, n) => ended(pair, createdAt(n)))]);
    return { ann: ann.userId, bob: bob.userId, newestFirst: people.map(({ callId }) => callId).reverse(), people };
  }

  async function allPages(userId: string, limit: number, between: () => Promise<unknown> = async () => {}) {
    const ids: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await listCalls(db, userId, { limit, cursor: cursor ?? undefined });
      expect(page.calls.length).toBeLessThanOrEqual(limit);
      ids.push(...page.calls.map(({ id }) => id));
      cursor = page.nextCursor;
      await between();
    } while (cursor !== null);
    return ids;
  }

  it("knows the people with whom a user had calls, once each, and nobody else", async () => {
    const { ann, bob } = await callsBetween(3);
    await callsBetween(1);
    expect(await listAcquaintances(db, ann, 10)).toEqual([{ userId: bob, name: "Bob", avatarUrl: null }]);
  });

  it("shows a call to both sides, each with its direction, as the wire has it", async () => {
    const { ann, bob, people } = await callsBetween(1);
    const [pair] = people;
    const [annsSide, bobsSide] = await Promise.all([ann, bob].map((id) => listCalls(db, id, { limit: 20 })));
    expect(annsSide).toEqual(HistoryResponse.parse(annsSide));
    expect(annsSide).toEqual({
      calls: [
        {
          id: pair?.callId,
          callType: "video",
          direction: "outgoing",
          outcome: "completed",
          initiatorId: ann,
          createdAt: "2026-01-01T12:00:00.000Z",
          connectedAt: "2026-01-01T12:00:05.000Z",
          endedAt: "2026-01-01T12:01:05.000Z",
          durationSeconds: 60,
          answeredByDevice: pair?.calleeDevice,
          participants: [participant(ann, "Ann", pair?.callerDevice), participant(bob, "Bob", pair?.calleeDevice)],
        },
      ],
      nextCursor: null,
    });
    expect(bobsSide?.calls).toMatchObject([{ id: pair?.callId, direction: "incoming" }]);
  });

  function participant(userId: string, name: string, deviceId: string | undefined) {
    return { userId, name, deviceId, state: "left", joinedAt: at(5), leftAt: at(65) };
  }

  it("shows a call that goes on without an outcome", async () => {
    const { ann, bob } = await callsBetween(0);
    await writeEvents(db, [ringing(cast({ caller: ann, callee: bob }))]);
    const { calls } = await listCalls(db, bob, { limit: 1 });
    expect(calls).toMatchObject([{ outcome: null, endedAt: null, durationSeconds: null }]);
  });

  it("[HIST-2] tells each of the two what the call was to them, and of blocked calls only who asks", async () => {
    const { ann, bob } = await callsBetween(0);
    const event = ended(cast({ caller: ann, callee: bob }));
    const outcomes = ["missed", "blocked"] as const;
    const participants = event.participants.map((who, i) => ({ ...who, outcome: outcomes[i] ?? null }));
    await writeEvents(db, [{ ...event, outcome: "blocked", participants }]);
    const list = async (userId: string, filter = {}) =>
      (await listCalls(db, userId, { limit: 5, ...filter })).calls.map(({ outcome }) => outcome);
    expect(await list(ann)).toEqual(["missed"]);
    expect(await list(ann, { outcome: "missed" })).toEqual(["missed"]);
    expect(await list(ann, { outcome: "blocked" })).toEqual([]);
    expect(await list(bob)).toEqual([]);
    expect(await list(bob, { outcome: "blocked" })).toEqual(["blocked"]);
  });

  it("[HIST-2] filters by direction and outcome, and pages through what matches", async () => {
    const { ann, bob } = await callsBetween(3);
    const missed = ended(cast({ caller: bob, callee: ann }), at(100));
    const participants = missed.participants.map((who) => ({ ...who, outcome: "missed" as const }));
    await writeEvents(db, [{ ...missed, outcome: "missed", participants }]);
    const filter = { limit: 2, direction: "outgoing" as const, outcome: "completed" as const };
    const page = await listCalls(db, ann, filter);
    const rest = await listCalls(db, ann, { ...filter, cursor: page.nextCursor ?? "" });
    expect([page.calls.length, rest.calls.length, rest.nextCursor]).toEqual([2, 1, null]);
    const incoming = await listCalls(db, ann, { limit: 2, direction: "incoming" });
    expect(incoming.calls.map(({ id, outcome }) => [id, outcome])).toEqual([[missed.callId, "missed"]]);
  });

  it("[HIST-3] hides an entry from one user's history, and no later event brings it back", async () => {
    const { ann, bob } = await callsBetween(0);
    const people = cast({ caller: ann, callee: bob });
    await writeEvents(db, [answered(people)]);
    expect(await hideCall(db, ann, people.callId)).toBe(true);
    expect(await hideCall(db, ann, people.callId)).toBe(true);
    expect(await hideCall(db, nextId(), people.callId)).toBe(false);
    await writeEvents(db, [ended(people)]);
    expect((await listCalls(db, ann, { limit: 5 })).calls).toEqual([]);
    expect((await listCalls(db, bob, { limit: 5 })).calls).toMatchObject([{ id: people.callId, outcome: "completed" }]);
  });

  it("[GLARE-4] keeps a call that was merged into another out of every history, also when an older event is late", async () => {
    const { ann, bob } = await callsBetween(0);
    const people = cast({ caller: ann, callee: bob });
    const merged = { ...ended(people), outcome: null, reason: "glare_merged" as const };
    await writeEvents(db, [ringing(people)]);
    await writeEvents(db, [merged]);
    await writeEvents(db, [ringing(people)]);
    for (const userId of [ann, bob]) expect((await listCalls(db, userId, { limit: 5 })).calls).toEqual([]);
  });

  it("is empty for somebody who never called", async () => {
    expect(await listCalls(db, nextId(), { limit: 20 })).toEqual({ calls: [], nextCursor: null });
  });

  it("shows nobody else's calls", async () => {
    const ours = await callsBetween(2);
    await callsBetween(3);
    expect(await allPages(ours.ann, 10)).toEqual(ours.newestFirst);
  });

  it.each([1, 2, 3, 7, 8])("pages newest first, %i at a time, without a gap or a repetition", async (limit) => {
    const { bob, newestFirst } = await callsBetween(7);
    expect(await allPages(bob, limit)).toEqual(newestFirst);
  });

  it("pages through calls of the same millisecond", async () => {
    const { ann, newestFirst } = await callsBetween(6, () => at(0));
    expect(await allPages(ann, 2)).toEqual(newestFirst);
  });

  it("is not shifted by calls that come in between two pages", async () => {
    const { ann, bob, newestFirst } = await callsBetween(6);
    const ids = await allPages(ann, 2, () => writeEvents(db, [ringing(cast({ caller: bob, callee: ann }), at(900))]));
    expect(ids).toEqual(newestFirst);
  });

  it("asks the database once for a page with all its participants", async () => {
    const { ann } = await callsBetween(5);
    const asked = vi.spyOn(globalThis, "fetch");
    await listCalls(db, ann, { limit: 5 });
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
  });

  it.each([
    "",
    "x",
    "%%%",
    btoa("yesterday 1"),
    btoa(`2026-01-01T12:00:00.000Z ${nextId()} more`),
    btoa(`2026-01-01T12:00:00.000Z ';drop table calls`),
  ])("refuses the cursor %j", async (cursor) => {
    await expect(listCalls(db, nextId(), { limit: 1, cursor })).rejects.toThrow(CursorRefused);
  });

  it("gives cursors that pass through a URL as they are", async () => {
    const { ann } = await callsBetween(2);
    const { nextCursor } = await listCalls(db, ann, { limit: 1 });
    expect(nextCursor).toMatch(/^[\w-]{1,200}$/);
  });

  it("reads a page from one range of one index, however many calls there are", async () => {
    const ann = userEvent();
    await writeEvents(db, [ann]);
    await fill(ann.userId);
    const pages = [
      { after: null, filter: {}, index: "idx_participants_history" },
      { after: { createdAt: new Date(at(1_000)), id: nextId() }, filter: {}, index: "idx_participants_history" },
      { after: null, filter: { outcome: "missed" as const }, index: "idx_participants_outcome" },
      { after: null, filter: { direction: "incoming" as const }, index: "idx_participants_direction" },
    ];
    for (const { index, ...page } of pages) {
      const query = historyQuery(db, ann.userId, { limit: 20, ...page }).getSQL();
      const { rows } = await db.execute(sql`explain (analyze, timing off, costs off, summary off) ${query}`);
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan).toMatch(new RegExp(`${index}.* \\(actual rows=21(\\.00)? `));
      expect(plan).not.toMatch(/Seq Scan on (calls|call_participants)/);
      expect(plan).not.toContain("Rows Removed by Filter");
    }
  });

  it("counts calls under way from the index that holds only those", async () => {
    const plan = await db.execute(
      sql`explain select count(*) from calls where calls.state in ('ringing', 'connected')`,
    );
    expect(JSON.stringify(plan.rows)).toContain("idx_calls_state");
  });

  /** 20,000 calls of 100 users and 2,000 of one of them. */
  async function fill(userId: string): Promise<void> {
    await db.batch([
      db.execute(sql`insert into users (id, name) select gen_random_uuid(), 'Crowd' from generate_series(1, 100)`),
      db.execute(sql`
        with people as (select array_agg(id) as ids from users where name = 'Crowd'),
        made as (
          insert into calls (initiator_id, call_type, state, created_at)
          select case when n % 11 = 0 then ${userId}::uuid else ids[1 + n % 100] end, 'video', 'ended',
            ${at(0)}::timestamptz + n * interval '1 second'
          from generate_series(1, 22000) as n, people returning *
        )
        insert into call_participants (call_id, user_id, state, outcome, direction, created_at)
        select id, initiator_id, 'left', case when random() < 0.1 then 'missed' else 'completed' end,
          case when random() < 0.2 then 'incoming' else 'outgoing' end, created_at from made`),
    ]);
    await db.execute(sql`analyze`);
  }

  it("lists users by name, no more than asked for", async () => {
    await db.execute(sql`truncate users cascade`);
    const named = ["Cem", "Ann", "Bob"].map((name) => userEvent({ name, avatarUrl: `https://example.com/${name}` }));
    await writeEvents(db, named);
    const listed = await listUsers(db, 2);
    expect(listed).toEqual([
      { userId: named[1]?.userId, name: "Ann", avatarUrl: "https://example.com/Ann" },
      { userId: named[2]?.userId, name: "Bob", avatarUrl: "https://example.com/Bob" },
    ]);
  });

  it("counts the devices that are connected and the calls that ring or are connected", async () => {
    await db.execute(sql`truncate users cascade`);
    const { ann, bob } = await callsBetween(2);
    const pair = () => cast({ caller: ann, callee: bob });
    await writeEvents(db, [
      ringing(pair()),
      answered(pair()),
      deviceEvent({ userId: ann }),
      deviceEvent({ userId: ann, connectedAt: null, lastSeen: at(3) }),
      deviceEvent({ userId: bob }),
      deviceEvent({ userId: bob }),
    ]);
    expect(await liveCounts(db)).toEqual({ activeConnections: 3, activeCalls: 2 });
  });

  it("answers a ping while it is there, and fails it while it is not", async () => {
    await ping(db);
    await database.postgres.endpoint?.stop();
    await expect(ping(db)).rejects.toThrow();
    await database.postgres.endpoint?.start();
    await ping(db);
  });
});
