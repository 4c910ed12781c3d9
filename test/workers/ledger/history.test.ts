import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Outcome } from "../../../schema/call.ts";
import { type HistoryQuery, HistoryResponse } from "../../../schema/http.ts";
import type { CallEvent } from "../../../schema/ledger.ts";
import { CursorRefused } from "../../../workers/ledger/cursor.ts";
import { type Database, openDatabase } from "../../../workers/ledger/database.ts";
import {
  acquaintancesQuery,
  hideCall,
  historyQuery,
  listAcquaintances,
  listCalls,
  listUsers,
  liveCounts,
} from "../../../workers/ledger/history.ts";
import { writeEvents } from "../../../workers/ledger/writes.ts";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";
import {
  answered,
  at,
  cast,
  deviceEvent,
  ended,
  merged,
  nextId,
  ringing,
  userEvent,
} from "../../support/ledger-events.ts";

/** The index that each page is read from, and how many of its rows: the page's and one more, or all there are. */
const PAGES = [
  { filter: {}, index: "idx_participants_history", rows: 21 },
  { filter: { direction: "incoming" }, index: "idx_participants_direction", rows: 21 },
  { filter: { outcome: "missed" }, index: "idx_participants_outcome", rows: 21 },
  { filter: { outcome: "busy" }, index: "idx_participants_outcome", rows: 0 },
  { filter: { outcome: "missed", direction: "incoming" }, index: "idx_participants_both", rows: 21 },
  { filter: { outcome: "missed", direction: "outgoing" }, index: "idx_participants_both", rows: 0 },
] as const;

const FILTERS = [
  { outcome: "missed" },
  { direction: "incoming" },
  { direction: "outgoing" },
  { outcome: "declined", direction: "incoming" },
  { outcome: "missed", direction: "outgoing" },
] as const;

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

  async function allPages(
    userId: string,
    limit: number,
    between: () => Promise<unknown> = async () => {},
    filter: Partial<HistoryQuery> = {},
  ) {
    const ids: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await listCalls(db, userId, { ...filter, limit, cursor: cursor ?? undefined });
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

  /** A call that is over, with what it was to the caller and to the callee. */
  function over(caller: string, callee: string, outcomes: readonly [Outcome, Outcome], createdAt?: string): CallEvent {
    const event = ended(cast({ caller, callee }), createdAt);
    const participants = event.participants.map((who, i) => ({ ...who, outcome: outcomes[i] ?? null }));
    return { ...event, outcome: outcomes[1], participants };
  }

  async function listed(userId: string, filter: Partial<HistoryQuery> = {}) {
    const { calls } = await listCalls(db, userId, { limit: 20, ...filter });
    return calls.map(({ outcome }) => outcome);
  }

  it("[HIST-2] tells each of the two what the call was to them", async () => {
    const { ann, bob } = await callsBetween(0);
    await writeEvents(db, [over(ann, bob, ["completed", "missed"])]);
    expect([await listed(ann), await listed(bob)]).toEqual([["completed"], ["missed"]]);
    expect(await listed(bob, { outcome: "missed" })).toEqual(["missed"]);
    expect(await listed(bob, { outcome: "completed" })).toEqual([]);
  });

  it("[HIST-2] calls it missed to a caller who was blocked, by every filter", async () => {
    const { ann, bob } = await callsBetween(0);
    await writeEvents(db, [over(ann, bob, ["missed", "blocked"])]);
    for (const filter of [{}, { outcome: "missed" }, { direction: "outgoing" }] as const) {
      expect(await listed(ann, filter)).toEqual(["missed"]);
    }
    for (const outcome of Outcome.exclude(["missed"]).options) expect(await listed(ann, { outcome })).toEqual([]);
  });

  it("[HIST-3] shows whom somebody blocked only if that is asked for", async () => {
    const { ann, bob } = await callsBetween(0);
    await writeEvents(db, [over(ann, bob, ["missed", "blocked"])]);
    for (const filter of [{}, { outcome: "missed" }, { direction: "incoming" }] as const) {
      expect(await listed(bob, filter)).toEqual([]);
    }
    expect(await listed(bob, { outcome: "blocked" })).toEqual(["blocked"]);
    expect(await listed(bob, { outcome: "blocked", direction: "incoming" })).toEqual(["blocked"]);
    expect(await listed(bob, { outcome: "blocked", direction: "outgoing" })).toEqual([]);
  });

  it.each(FILTERS)("[HIST-3] pages through what matches %j, and through nothing else", async (filter) => {
    const outcomes: Outcome[] = ["completed", "missed", "declined"];
    for (const limit of [1, 2, 20]) {
      const { ann, bob } = await callsBetween(0);
      const calls = Array.from({ length: 18 }, (_, n) => {
        const outcome = outcomes[n % 3] ?? "completed";
        const [caller, callee] = n % 2 === 0 ? [ann, bob] : [bob, ann];
        return over(caller, callee, [outcome, outcome], at(n));
      });
      await writeEvents(db, calls);
      const matching = calls.filter(
        ({ outcome, initiatorId }) =>
          (!("outcome" in filter) || outcome === filter.outcome) &&
          (!("direction" in filter) || (initiatorId === ann) === (filter.direction === "outgoing")),
      );
      const newestFirst = matching.map(({ callId }) => callId).reverse();
      expect(newestFirst.length).toBeGreaterThan(2);
      const comes = () => writeEvents(db, [over(ann, bob, ["missed", "missed"], at(100))]);
      expect(await allPages(ann, limit, comes, filter)).toEqual(newestFirst);
    }
  });

  it("[HIST-3] shows a call that goes on by its direction, and with no outcome", async () => {
    const { ann, bob } = await callsBetween(0);
    await writeEvents(db, [ringing(cast({ caller: ann, callee: bob }))]);
    expect(await listed(ann, { direction: "outgoing" })).toEqual([null]);
    for (const outcome of Outcome.options) expect(await listed(ann, { outcome })).toEqual([]);
  });

  it("[HIST-4] says with which device somebody was in the call, and not with which they declined it", async () => {
    const { ann, bob, people } = await callsBetween(1);
    const [talked] = people;
    const event = over(ann, bob, ["declined", "declined"], at(90));
    const [caller, callee] = event.participants;
    if (!caller || !callee || !talked) throw new Error("a call has two");
    const declined = { ...callee, state: "declined" as const, joinedAt: null, leftAt: null, devices: [] };
    await writeEvents(db, [{ ...event, answeredBy: null, participants: [caller, declined] }]);
    const bobs = async (userId: string) => {
      const { calls } = await listCalls(db, userId, { limit: 2 });
      return calls.map((call) => [
        call.answeredByDevice,
        call.participants.find((who) => who.userId === bob)?.deviceId,
      ]);
    };
    const answered = [talked.calleeDevice, talked.calleeDevice];
    expect(await bobs(ann)).toEqual([[null, null], answered]);
    expect(await bobs(bob)).toEqual([[null, callee.deviceId], answered]);
  });

  it("[HIST-5] hides an entry from one user's history, for good and whatever is told of the call later", async () => {
    const { ann, bob } = await callsBetween(0);
    const people = cast({ caller: ann, callee: bob });
    await writeEvents(db, [answered(people)]);
    expect(await hideCall(db, ann, people.callId)).toBe(true);
    expect(await hideCall(db, ann, people.callId)).toBe(true);
    for (const event of [ended(people), ringing(people), ended(people)]) await writeEvents(db, [event]);
    for (const filter of [{}, { outcome: "completed" }, { direction: "outgoing" }] as const) {
      expect(await listed(ann, filter)).toEqual([]);
    }
    expect(await listed(bob)).toEqual(["completed"]);
  });

  it("[HIST-5] hides nothing from anybody for somebody who had no part in the call", async () => {
    const { ann, bob, newestFirst } = await callsBetween(1);
    const eve = userEvent();
    await writeEvents(db, [eve]);
    expect(await hideCall(db, eve.userId, newestFirst[0] ?? "")).toBe(false);
    expect(await hideCall(db, ann, nextId())).toBe(false);
    expect([await listed(ann), await listed(bob)]).toEqual([["completed"], ["completed"]]);
  });

  it("[HIST-5] goes on where the page ended, also when its last call is deleted in between", async () => {
    const { ann, newestFirst } = await callsBetween(4);
    const first = await listCalls(db, ann, { limit: 2 });
    await hideCall(db, ann, newestFirst[1] ?? "");
    const second = await listCalls(db, ann, { limit: 2, cursor: first.nextCursor ?? "" });
    expect(second.calls.map(({ id }) => id)).toEqual(newestFirst.slice(2));
  });

  it("[HIST-6] keeps a call that was merged into another out of every history", async () => {
    const { ann, bob } = await callsBetween(0);
    const people = cast({ caller: ann, callee: bob });
    for (const event of [ringing(people), merged(people), ringing(people)]) await writeEvents(db, [event]);
    expect([await listed(ann), await listed(bob)]).toEqual([[], []]);
    expect(await hideCall(db, ann, people.callId)).toBe(false);
  });

  it("is empty for somebody who never called", async () => {
    expect(await listCalls(db, nextId(), { limit: 20 })).toEqual({ calls: [], nextCursor: null });
  });

  it("shows nobody else's calls", async () => {
    const ours = await callsBetween(2);
    await callsBetween(3);
    expect(await allPages(ours.ann, 10)).toEqual(ours.newestFirst);
  });

  it.each([1, 2, 3, 7, 8])(
    "[HIST-1] pages newest first, %i at a time, without a gap or a repetition",
    async (limit) => {
      const { bob, newestFirst } = await callsBetween(7);
      expect(await allPages(bob, limit)).toEqual(newestFirst);
    },
  );

  it("pages through calls of the same millisecond", async () => {
    const { ann, newestFirst } = await callsBetween(6, () => at(0));
    expect(await allPages(ann, 2)).toEqual(newestFirst);
  });

  it("[HIST-1] is not shifted by calls that come in between two pages", async () => {
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

  it("[HIST-7] reads a page from one range of one index, whatever is asked for and however many calls there are", async () => {
    const ann = userEvent();
    await writeEvents(db, [ann]);
    await fill(ann.userId);
    const cursor = { createdAt: new Date(Date.parse(at(0)) + 5_000_000), id: nextId() };
    for (const { filter, index, rows } of PAGES) {
      for (const after of [null, cursor]) {
        const query = historyQuery(db, ann.userId, { limit: 20, after, filter }).getSQL();
        const explained = await db.execute(sql`explain (analyze, timing off, costs off, summary off) ${query}`);
        const plan = explained.rows.map((row) => row["QUERY PLAN"]).join("\n");
        expect(plan).toMatch(new RegExp(`${index} .*\\(actual rows=${rows}(\\.00)? `));
        expect(plan).not.toMatch(/Seq Scan on (calls|call_participants)/);
        expect(plan).not.toContain("Rows Removed by Filter");
      }
    }
  });

  it("[CONT-1] looks for acquaintances in one range of one index, however many calls there are", async () => {
    const ann = userEvent();
    await writeEvents(db, [ann]);
    await fill(ann.userId);
    const query = acquaintancesQuery(db, ann.userId, 500).getSQL();
    const explained = await db.execute(sql`explain (analyze, timing off, costs off, summary off) ${query}`);
    const plan = explained.rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan).toMatch(/idx_participants_history .*\(actual rows=500(\.00)? /);
  });

  it("counts calls under way from the index that holds only those", async () => {
    const plan = await db.execute(
      sql`explain select count(*) from calls where calls.state in ('ringing', 'connected')`,
    );
    expect(JSON.stringify(plan.rows)).toContain("idx_calls_state");
  });

  /**
   * 20,000 calls of 100 users and 2,000 of one of them, whose newest are deleted and who has blocked whoever made the
   * ones before: what no page shows is in the way of every page.
   */
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
        ), numbered as (
          select *, row_number() over (partition by initiator_id order by created_at) as n from made
        )
        insert into call_participants (call_id, user_id, state, outcome, direction, hidden_at, created_at)
        select id, initiator_id, 'left',
          case when n between 1500 and 1700 then 'blocked' when n % 10 = 0 then 'missed' else 'completed' end,
          case when n % 5 = 0 or n between 1500 and 1700 then 'incoming' else 'outgoing' end,
          case when n > 1700 then now() end, created_at from numbered`),
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
});
