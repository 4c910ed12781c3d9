import { desc, isNotNull, sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  timestamp,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import type { CallType, Direction, EndReason, Outcome, ParticipantState } from "../call.ts";
import type { LogEntry } from "../call-log.ts";
import type { DeviceType } from "../client-messages.ts";
import type { CallEvent, PushEvent } from "../ledger.ts";
import type { MediaReport } from "../media-report.ts";
import type { PushProvider } from "../push-token.ts";

/**
 * The history in Postgres. Only the ledger writes here, but for `hidden_at`; `revision` is that of the event a row
 * comes from, so that an older or repeated event changes nothing.
 *
 * Times have milliseconds, as on the wire: a finer one could not pass through a cursor unchanged.
 */

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });
const revision = () => bigint("revision", { mode: "number" }).notNull().default(0);

export const users = pgTable("users", {
  id: uuid("id").primaryKey().defaultRandom(),
  name: varchar("name", { length: 100 }).notNull(),
  avatarUrl: varchar("avatar_url", { length: 500 }),
  createdAt: moment("created_at").notNull().defaultNow(),
  revision: revision(),
});

export const userDevices = pgTable(
  "user_devices",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id),
    deviceType: varchar("device_type", { length: 50 }).$type<DeviceType>().notNull(),
    pushToken: varchar("push_token", { length: 4_096 }),
    /** Until it is removed or its push token dies. */
    isActive: boolean("is_active").notNull().default(true),
    /** Since when it has a socket; null while it has none. */
    connectedAt: moment("connected_at"),
    lastSeen: moment("last_seen"),
    revision: revision(),
  },
  (table) => [
    index("idx_devices_user_active").on(table.userId).where(sql`${table.isActive}`),
    // Counting connections must not read every device that ever was.
    index("idx_devices_connected").on(table.id).where(isNotNull(table.connectedAt)),
  ],
);

export const calls = pgTable(
  "calls",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    initiatorId: uuid("initiator_id")
      .notNull()
      .references(() => users.id),
    callType: varchar("call_type", { length: 20 }).$type<CallType>().notNull(),
    state: varchar("state", { length: 20 }).$type<CallEvent["state"]>().notNull(),
    /** The device; no foreign key, since its own event may come later than the call's. */
    answeredBy: uuid("answered_by"),
    connectedAt: moment("connected_at"),
    endedAt: moment("ended_at"),
    durationSeconds: integer("duration_seconds"),
    createdAt: moment("created_at").notNull().defaultNow(),
    outcome: varchar("outcome", { length: 20 }).$type<Outcome>(),
    endReason: varchar("end_reason", { length: 30 }).$type<EndReason>(),
    revision: revision(),
  },
  (table) => [
    index("idx_calls_initiator").on(table.initiatorId, desc(table.createdAt)),
    index("idx_calls_state").on(table.state).where(sql`${table.state} in ('ringing', 'connected')`),
  ],
);

export const callParticipants = pgTable(
  "call_participants",
  {
    callId: uuid("call_id")
      .notNull()
      .references(() => calls.id),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id),
    deviceId: uuid("device_id"),
    state: varchar("state", { length: 20 }).$type<ParticipantState>().notNull(),
    joinedAt: moment("joined_at"),
    leftAt: moment("left_at"),
    /** Of the call for this user. The default is for rows of an edge that is older than the column. */
    direction: varchar("direction", { length: 10 }).$type<Direction>().notNull().default("incoming"),
    /** As this user's history tells it; null while the call goes on. */
    outcome: varchar("outcome", { length: 20 }).$type<Outcome>(),
    /** Every device of the user that was rung. They are only ever read with the row. */
    legs: jsonb("legs").$type<CallEvent["participants"][number]["legs"]>().notNull().default([]),
    /** The user has deleted the entry from their history; the ledger never touches this. */
    hiddenAt: moment("hidden_at"),
    /** The call's, repeated here: one user's history, newest first, is then one range of one index. */
    createdAt: moment("created_at").notNull().defaultNow(),
  },
  (table) => {
    const { userId, callId, direction, outcome, hiddenAt, createdAt } = table;
    const newestFirst = [desc(createdAt), desc(callId)] as const;
    // What a page never shows is not in its index either: else a user who has deleted 100,000 calls, or was called
    // as often by somebody whom they blocked, would read through all of them for one page.
    const isKept = sql`${hiddenAt} is null`;
    const isListed = sql`${hiddenAt} is null and ${outcome} is distinct from 'blocked'`;
    return [
      primaryKey({ columns: [callId, userId] }),
      index("idx_participants_user").on(userId, callId),
      // One for each set of filters: a page is then the start of a range, whatever share of the calls matches.
      index("idx_participants_history")
        .on(userId, ...newestFirst)
        .where(isListed),
      index("idx_participants_direction")
        .on(userId, direction, ...newestFirst)
        .where(isListed),
      index("idx_participants_outcome")
        .on(userId, outcome, ...newestFirst)
        .where(isKept),
      index("idx_participants_both")
        .on(userId, direction, outcome, ...newestFirst)
        .where(isKept),
    ];
  },
);

/** What happened in a call, a row for each of its revisions. A row never changes. */
export const callEvents = pgTable(
  "call_events",
  {
    callId: uuid("call_id")
      .notNull()
      .references(() => calls.id),
    rev: integer("rev").notNull(),
    at: moment("at").notNull(),
    kind: varchar("kind", { length: 20 }).$type<LogEntry["kind"]>().notNull(),
    /** What the kind has besides. */
    data: jsonb("data").notNull(),
  },
  (table) => [primaryKey({ columns: [table.callId, table.rev] })],
);

/** What became of each push. No foreign key: its own event may come before the call's. */
export const callPushes = pgTable(
  "call_pushes",
  {
    callId: uuid("call_id").notNull(),
    userId: uuid("user_id").notNull(),
    deviceId: uuid("device_id").notNull(),
    purpose: varchar("purpose", { length: 10 }).$type<PushEvent["purpose"]>().notNull(),
    provider: varchar("provider", { length: 20 }).$type<PushProvider>().notNull(),
    result: varchar("result", { length: 20 }).$type<PushEvent["result"]>().notNull(),
    status: integer("status"),
    attempts: integer("attempts").notNull(),
    at: moment("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.callId, table.userId, table.deviceId, table.purpose] })],
);

/** One row per stay: a call that is handed to another device and back has three. */
export const callParticipantDevices = pgTable(
  "call_participant_devices",
  {
    callId: uuid("call_id").notNull(),
    userId: uuid("user_id").notNull(),
    deviceId: uuid("device_id").notNull(),
    joinedAt: moment("joined_at").notNull(),
    leftAt: moment("left_at"),
    /** What the device reported of its path; null where it did not. Only ever read with the row. */
    media: jsonb("media").$type<MediaReport>(),
  },
  (table) => [
    // Named, since the generated name is as long as Postgres allows.
    primaryKey({
      name: "call_participant_devices_pk",
      columns: [table.callId, table.userId, table.deviceId, table.joinedAt],
    }),
    foreignKey({
      name: "call_participant_devices_participant_fk",
      columns: [table.callId, table.userId],
      foreignColumns: [callParticipants.callId, callParticipants.userId],
    }),
  ],
);
