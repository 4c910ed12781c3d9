import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CallEventsResponse } from "../../../schema/http.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import { eventsQuery, findCallEvents } from "../../../workers/ledger/call-events.ts";
import { type Database, openDatabase } from "../../../workers/ledger/database.ts";
import { hideCall, listCalls } from "../../../workers/ledger/history.ts";
import { outcomeOf } from "../../../workers/ledger/outcome.ts";
import { writeEvents } from "../../../workers/ledger/writes.ts";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";
import {
  answered,
  at,
  cast,
  ended,
  merged,
  nextId,
  pushEvent,
  ringing,
  userEvent,
} from "../../support/ledger-events.ts";
import { ADA, BOB, CID } from "../call/call-script.ts";
import { ENDINGS } from "./endings.ts";

describe.each(DATABASES)("what happened in a call, on an $name", ({ open }) => {
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await open();
    db = openDatabase({ DATABASE_URL: database.postgres.databaseUrl, NEON_LOCAL: database.postgres.neonLocal });
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await db.execute(sql`truncate users, call_pushes cascade`);
  });

  async function pair() {
    const people = cast({ caller: nextId(), callee: nextId() });
    await writeEvents(db, [userEvent({ userId: people.caller }), userEvent({ userId: people.callee })]);
    return people;
  }

  it("[LOG-1] is told to those who take part, as far as the ledger has heard", async () => {
    const people = await pair();
    await writeEvents(db, [ringing(people)]);
    const events = async () => (await findCallEvents(db, people.callee, people.callId))?.events.map(({ kind }) => kind);
    expect(await events()).toEqual(["initiated"]);
    await writeEvents(db, [ended(people)]);
    expect(await events()).toEqual(["initiated", "answered", "ended"]);
  });

  it("[LOG-1] is told to nobody else, and of no call that there is not", async () => {
    const people = await pair();
    const stranger = await pair();
    await writeEvents(db, [
      ended(people),
      ended(stranger),
      pushEvent({ callId: people.callId, userId: stranger.caller }),
    ]);
    expect(await findCallEvents(db, stranger.caller, people.callId)).toBeNull();
    expect(await findCallEvents(db, nextId(), people.callId)).toBeNull();
    expect(await findCallEvents(db, people.caller, nextId())).toBeNull();
  });

  it("[LOG-1] is told to nobody of a call that was merged into another", async () => {
    const people = await pair();
    await writeEvents(db, [ringing(people)]);
    await writeEvents(db, [merged(people)]);
    expect(await findCallEvents(db, people.caller, people.callId)).toBeNull();
  });

  it("[LOG-1] stays for somebody who has deleted the entry in their history", async () => {
    const people = await pair();
    await writeEvents(db, [ended(people)]);
    await hideCall(db, people.caller, people.callId);
    expect(await findCallEvents(db, people.caller, people.callId)).toMatchObject({ callId: people.callId });
  });

  it("[LOG-3] [LOG-4] has the form that the wire says, with the asker's devices and pushes and nobody else's", async () => {
    const people = await pair();
    const { callId, caller, callee, callerDevice, calleeDevice } = people;
    const push = pushEvent({ callId, userId: callee, deviceId: calleeDevice });
    const notice = pushEvent({ callId, userId: callee, purpose: "notice", result: "failed", status: null, at: at(9) });
    const others = [pushEvent({ callId, userId: caller }), pushEvent({ callId: nextId(), userId: callee })];
    const event = ended(people);
    const media = { candidateType: "relay", relayProtocol: "tls", rttMs: 40, setup: { firstFrameMs: 900 } } as const;
    for (const { devices } of event.participants) for (const stay of devices) stay.media = media;
    await writeEvents(db, [event, notice, push, ...others]);
    const asked = await findCallEvents(db, callee, callId);
    expect(asked).toEqual(CallEventsResponse.strict().parse(asked));
    expect(asked).toEqual({
      callId,
      events: [
        { rev: 1, at: at(0), kind: "initiated", by: { userId: caller }, callType: "video", calleeIds: [callee] },
        { rev: 2, at: at(5), kind: "answered", by: { userId: callee, deviceId: calleeDevice } },
        { rev: 3, at: at(65), kind: "ended", by: { userId: caller }, outcome: "completed", reason: "hung_up" },
      ],
      devices: [{ deviceId: calleeDevice, state: "answered" }],
      media: [{ deviceId: calleeDevice, joinedAt: at(5), ...media }],
      pushes: [push, notice].map(({ kind, callId: _call, userId, ...rest }) => rest),
    });
    expect(await findCallEvents(db, caller, callId)).toMatchObject({
      events: [{ by: { userId: caller, deviceId: callerDevice } }, { by: { userId: callee } }, {}],
      devices: [],
      pushes: [{ deviceId: others[0]?.deviceId }],
    });
  });

  it.each(ENDINGS)(
    "[LOG-5] tells what the row and everybody's history tell of a call that is $title",
    async ({ play }) => {
      const { call } = play();
      const users = [ADA, BOB, CID].map((userId) => userEvent({ userId }));
      const event = ledgerEvent(call);
      await writeEvents(db, [...users, event]);
      const { rows } = await db.execute(sql`
      select outcome, answered_by as "answeredBy", duration_seconds as "durationSeconds" from calls`);
      expect(await eventsQuery(db, call.callId)).toHaveLength(call.rev);
      const { answeredBy, ...result } = outcomeOf(call.log);
      const { outcome, durationSeconds } = result;
      expect(rows).toEqual([{ outcome, answeredBy: answeredBy?.deviceId ?? null, durationSeconds }]);

      for (const { userId, outcome: own } of event.participants) {
        const asked = await findCallEvents(db, userId, call.callId);
        const { calls } = await listCalls(db, userId, { limit: 1, ...(own === "blocked" && { outcome: own }) });
        expect(calls).toHaveLength(event.reason === "glare_merged" ? 0 : 1);
        for (const entry of calls) {
          const shown = outcomeOf(asked?.events ?? []);
          expect(entry).toMatchObject({ outcome: own, endedAt: shown.endedAt, connectedAt: shown.connectedAt });
          expect(entry.durationSeconds).toBe(shown.durationSeconds);
          if (event.callType !== "group") expect(shown.outcome).toBe(own);
        }
      }
    },
  );

  it("is read by the key, not through the calls of others", async () => {
    const people = await pair();
    await writeEvents(db, [answered(people)]);
    await db.execute(sql`
      insert into call_events (call_id, rev, at, kind, data)
      select ${people.callId}, n, now(), 'media', '{}' from generate_series(100, 20000) as n`);
    await db.execute(sql`analyze call_events`);
    const query = eventsQuery(db, nextId()).getSQL();
    const { rows } = await db.execute(sql`explain ${query}`);
    expect(rows.map((row) => row["QUERY PLAN"]).join("\n")).toContain("call_events_call_id_rev_pk");
  });
});
