import { and, asc, count, desc, eq, isNotNull, isNull, ne, sql } from "drizzle-orm";
import type * as z from "zod";
import type { Outcome } from "../../schema/call.ts";
import { callParticipants, calls, userDevices, users } from "../../schema/db/tables.ts";
import type { HistoryEntry, HistoryQuery, HistoryResponse, UserResponse } from "../../schema/http.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { decodeCursor, encodeCursor, type Position } from "./cursor.ts";
import type { Database } from "./database.ts";

/**
 * One user's calls, newest first, in one query. A page starts after the cursor's call, so calls
 * that come in between shift nothing.
 * @throws CursorRefused
 */
export async function listCalls(
  db: Database,
  userId: string,
  { limit, cursor, ...filter }: HistoryQuery,
): Promise<HistoryResponse> {
  const after = cursor === undefined ? null : decodeCursor(cursor);
  const rows = await historyQuery(db, userId, { limit, after, filter });
  const entries = groupByCall(rows, userId);
  const page = entries.slice(0, limit);
  const last = page.at(-1);
  const more = entries.length > limit && last !== undefined;
  return { calls: page, nextCursor: more ? encodeCursor({ createdAt: new Date(last.createdAt), id: last.id }) : null };
}

const { userId, state, deviceId, joinedAt, leftAt } = callParticipants;
/** What the page shows of each; the rest of the row stays in the database. */
const PARTICIPANT = { userId, state, deviceId, joinedAt, leftAt };

/** The page's calls and one more, each repeated for each of its participants, the caller first. Exported for its plan to be checked. */
export function historyQuery(db: Database, userId: string, { limit, after, filter }: Page) {
  const { callId, createdAt, direction, outcome } = callParticipants;
  const mine = db
    .select({ callId, createdAt, direction, outcome: sql<Outcome | null>`${outcome}`.as("own_outcome") })
    .from(callParticipants)
    .where(and(eq(callParticipants.userId, userId), ...matching(filter), after ? olderThan(after) : undefined))
    .orderBy(desc(callParticipants.createdAt), desc(callParticipants.callId))
    .limit(limit + 1)
    .as("mine");
  return db
    .select({
      call: calls,
      direction: mine.direction,
      outcome: mine.outcome,
      participant: PARTICIPANT,
      name: users.name,
    })
    .from(mine)
    .innerJoin(calls, eq(calls.id, mine.callId))
    .innerJoin(callParticipants, eq(callParticipants.callId, mine.callId))
    .innerJoin(users, eq(users.id, callParticipants.userId))
    .orderBy(desc(mine.createdAt), desc(mine.callId), desc(callParticipants.direction), asc(callParticipants.userId));
}

export interface Page {
  readonly limit: number;
  readonly after: Position | null;
  readonly filter: Pick<HistoryQuery, "outcome" | "direction">;
}

/**
 * What the user has deleted is nowhere; calls of those they blocked only where they are asked for. Written as the
 * indexes' predicates are, word for word: only so does the planner know that they hold all that is asked for.
 */
function matching({ outcome, direction }: Page["filter"]) {
  const mine = callParticipants;
  return [
    isNull(mine.hiddenAt),
    outcome === undefined ? sql`${mine.outcome} is distinct from 'blocked'` : eq(mine.outcome, outcome),
    ...(direction === undefined ? [] : [eq(mine.direction, direction)]),
  ];
}

/** A comparison of rows is one bound of the index; the same with `or` would filter what it reads. */
function olderThan({ createdAt, id }: Position) {
  const { createdAt: time, callId } = callParticipants;
  return sql`(${time}, ${callId}) < (${sql.param(createdAt, time)}, ${sql.param(id, callId)})`;
}

type Row = Awaited<ReturnType<typeof historyQuery>>[number];

function groupByCall(rows: readonly Row[], userId: string): HistoryEntry[] {
  const entries = new Map<string, HistoryEntry>();
  for (const row of rows) {
    const entry = entries.get(row.call.id) ?? historyEntry(row);
    entry.participants.push(participantOf(row, userId));
    entries.set(row.call.id, entry);
  }
  return [...entries.values()];
}

function historyEntry({ call, direction, outcome }: Row): HistoryEntry {
  return {
    id: call.id,
    callType: call.callType,
    direction,
    outcome,
    initiatorId: call.initiatorId,
    createdAt: isoTimestamp(call.createdAt.getTime()),
    connectedAt: iso(call.connectedAt),
    endedAt: iso(call.endedAt),
    durationSeconds: call.durationSeconds,
    answeredByDevice: call.answeredBy,
    participants: [],
  };
}

/** With which device somebody declined is nobody else's business; with which they were in the call, is. */
function participantOf({ participant, name }: Row, asker: string): HistoryEntry["participants"][number] {
  const { userId, state, joinedAt, leftAt } = participant;
  const deviceId = userId === asker || joinedAt !== null ? participant.deviceId : null;
  return { userId, name, state, deviceId, joinedAt: iso(joinedAt), leftAt: iso(leftAt) };
}

/**
 * Takes a call out of one user's own history, for good.
 * @returns whether the call was theirs at all, hidden before or not
 */
export async function hideCall(db: Database, userId: string, callId: string): Promise<boolean> {
  const { hiddenAt } = callParticipants;
  const hidden = await db
    .update(callParticipants)
    .set({ hiddenAt: sql`coalesce(${hiddenAt}, now())` })
    .where(and(eq(callParticipants.callId, callId), eq(callParticipants.userId, userId)))
    .returning({ callId: callParticipants.callId });
  return hidden.length > 0;
}

function iso(moment: Date | null): string | null {
  return moment === null ? null : isoTimestamp(moment.getTime());
}

/** By name, for a deployment where everybody is everybody's contact. */
export async function listUsers(db: Database, limit: number): Promise<z.infer<typeof UserResponse>[]> {
  return db
    .select({ userId: users.id, name: users.name, avatarUrl: users.avatarUrl })
    .from(users)
    .orderBy(asc(users.name), asc(users.id))
    .limit(limit);
}

/** How far back a user's calls are looked through for people. Those whom one talked to long ago can be added. */
const RECENT_CALLS = 500;

/**
 * Those with whom the user was in a call of late, or was to be, as far as their history lists it: the only ones whom a
 * deployment shows by itself. However many calls there are, the newest are one range of the history's index.
 */
export async function listAcquaintances(
  db: Database,
  userId: string,
  limit: number,
): Promise<z.infer<typeof UserResponse>[]> {
  return acquaintancesQuery(db, userId, limit);
}

/** Exported for its plan to be checked. */
export function acquaintancesQuery(db: Database, userId: string, limit: number) {
  const { callId, createdAt } = callParticipants;
  const recent = db
    .select({ callId })
    .from(callParticipants)
    .where(and(eq(callParticipants.userId, userId), ...matching({})))
    .orderBy(desc(createdAt), desc(callId))
    .limit(RECENT_CALLS)
    .as("recent");
  return db
    .selectDistinct({ userId: users.id, name: users.name, avatarUrl: users.avatarUrl })
    .from(recent)
    .innerJoin(callParticipants, eq(callParticipants.callId, recent.callId))
    .innerJoin(users, eq(users.id, callParticipants.userId))
    .where(ne(callParticipants.userId, userId))
    .orderBy(asc(users.name), asc(users.id))
    .limit(limit);
}

/** Devices with a socket and calls under way, as far as the ledger has heard. */
export async function liveCounts(db: Database): Promise<{ activeConnections: number; activeCalls: number }> {
  const [connections, active] = await db.batch([
    db.select({ count: count() }).from(userDevices).where(isNotNull(userDevices.connectedAt)),
    db.select({ count: count() }).from(calls).where(isUnderWay()),
  ]);
  return { activeConnections: connections[0]?.count ?? 0, activeCalls: active[0]?.count ?? 0 };
}

/** Written out, since with parameters the planner cannot know that the partial index holds every such row. */
function isUnderWay() {
  return sql`${calls.state} in ('ringing', 'connected')`;
}
