import { and, asc, eq, isNotNull } from "drizzle-orm";
import { LogEntry } from "../../schema/call-log.ts";
import { callEvents, callParticipantDevices, callParticipants, callPushes } from "../../schema/db/tables.ts";
import type { CallEventsResponse } from "../../schema/http.ts";
import { MediaReport } from "../../schema/media-report.ts";
import { isoTimestamp } from "../../schema/time.ts";
import type { Database } from "./database.ts";
import { logFor } from "./redaction.ts";

/**
 * What one of a call's participants may know of what happened in it, as far as the ledger has heard.
 * @returns null for a user who has no part in the call
 */
export async function findCallEvents(db: Database, userId: string, callId: string): Promise<CallEventsResponse | null> {
  const [[asker], events, media, pushes] = await db.batch([
    askerQuery(db, userId, callId),
    eventsQuery(db, callId),
    mediaQuery(db, userId, callId),
    pushesQuery(db, userId, callId),
  ]);
  if (!asker) return null;
  return {
    callId,
    events: logFor({ userId, outcome: asker.outcome }, events.map(logEntry)),
    devices: asker.legs,
    media: media.map(({ deviceId, joinedAt, media }) => ({
      ...MediaReport.parse(media),
      deviceId,
      joinedAt: isoTimestamp(joinedAt.getTime()),
    })),
    pushes: pushes.map(({ at, ...push }) => ({ ...push, at: isoTimestamp(at.getTime()) })),
  };
}

function askerQuery(db: Database, userId: string, callId: string) {
  return db
    .select({ outcome: callParticipants.outcome, legs: callParticipants.legs })
    .from(callParticipants)
    .where(and(eq(callParticipants.callId, callId), eq(callParticipants.userId, userId)));
}

/** Exported for its plan to be checked. */
export function eventsQuery(db: Database, callId: string) {
  return db.select().from(callEvents).where(eq(callEvents.callId, callId)).orderBy(asc(callEvents.rev));
}

function mediaQuery(db: Database, userId: string, callId: string) {
  const { deviceId, joinedAt, media } = callParticipantDevices;
  const { callId: ofCall, userId: ofUser } = callParticipantDevices;
  return db
    .select({ deviceId, joinedAt, media })
    .from(callParticipantDevices)
    .where(and(eq(ofCall, callId), eq(ofUser, userId), isNotNull(media)))
    .orderBy(asc(joinedAt), asc(deviceId));
}

function pushesQuery(db: Database, userId: string, callId: string) {
  const { deviceId, purpose, provider, result, status, attempts, at } = callPushes;
  return db
    .select({ deviceId, purpose, provider, result, status, attempts, at })
    .from(callPushes)
    .where(and(eq(callPushes.callId, callId), eq(callPushes.userId, userId)))
    .orderBy(asc(at), asc(deviceId), asc(purpose));
}

function logEntry({ rev, at, kind, data }: typeof callEvents.$inferSelect): LogEntry {
  return LogEntry.parse({ ...Object(data), rev, at: isoTimestamp(at.getTime()), kind });
}
