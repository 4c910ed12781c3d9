import { sql } from "drizzle-orm";
import type { CallEvent, DeviceEvent, LedgerEvent, UserEvent } from "../../schema/ledger.ts";
import type { Database } from "./database.ts";

/**
 * The statements of the ledger. Events go in as one JSON parameter each, so that a statement's text
 * is the same for every batch. A row changes only if the event's revision is higher than its own.
 */

/** All of the events or none, in one transaction and one request. */
export async function writeEvents(db: Database, events: readonly LedgerEvent[]): Promise<void> {
  await db.batch([
    db.execute(writeUsers(events.filter((event) => event.kind === "user"))),
    db.execute(writeDevices(events.filter((event) => event.kind === "device"))),
    db.execute(writeCalls(events.filter((event) => event.kind === "call"))),
  ]);
}

function writeUsers(events: readonly UserEvent[]) {
  return sql`
    insert into users (id, name, avatar_url, revision)
    select "userId", name, "avatarUrl", rev
    from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
      as event("userId" uuid, rev bigint, name text, "avatarUrl" text)
    on conflict (id) do update
      set name = excluded.name, avatar_url = excluded.avatar_url, revision = excluded.revision
      where users.revision < excluded.revision`;
}

/**
 * A device that another user signs in on becomes theirs. Revisions of two users do not compare, so
 * there the later connection counts: an old event of the former user takes nothing back.
 */
function writeDevices(events: readonly DeviceEvent[]) {
  return sql`
    insert into user_devices
      (id, user_id, device_type, push_token, is_active, connected_at, last_seen, revision)
    select "deviceId", "userId", "deviceType", "pushToken", "isActive", "connectedAt", "lastSeen", rev
    from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
      as event("deviceId" uuid, "userId" uuid, rev bigint, "deviceType" text, "pushToken" text,
        "isActive" boolean, "connectedAt" timestamptz, "lastSeen" timestamptz)
    on conflict (id) do update
      set user_id = excluded.user_id, device_type = excluded.device_type, push_token = excluded.push_token,
        is_active = excluded.is_active, connected_at = excluded.connected_at, last_seen = excluded.last_seen,
        revision = excluded.revision
      where case when user_devices.user_id = excluded.user_id
        then user_devices.revision < excluded.revision
        else excluded.connected_at
          > coalesce(greatest(user_devices.connected_at, user_devices.last_seen), '-infinity')
      end`;
}

/** One statement decides for a call and everything under it: only a call that changed passes its people on. */
function writeCalls(events: readonly CallEvent[]) {
  return sql`
    with event as (
      select * from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
        as event("callId" uuid, rev bigint, "callType" text, "initiatorId" uuid, state text, outcome text,
          reason text, "answeredBy" uuid, "createdAt" timestamptz, "connectedAt" timestamptz,
          "endedAt" timestamptz, "durationSeconds" integer, participants jsonb)
    ), changed as (
      insert into calls (id, initiator_id, call_type, state, answered_by, connected_at, ended_at,
        duration_seconds, created_at, outcome, end_reason, revision)
      select "callId", "initiatorId", "callType", state, "answeredBy", "connectedAt", "endedAt",
        "durationSeconds", "createdAt", outcome, reason, rev
      from event
      on conflict (id) do update
        set call_type = excluded.call_type, state = excluded.state, answered_by = excluded.answered_by,
          connected_at = excluded.connected_at, ended_at = excluded.ended_at,
          duration_seconds = excluded.duration_seconds, outcome = excluded.outcome,
          end_reason = excluded.end_reason, revision = excluded.revision
        where calls.revision < excluded.revision
      returning id, created_at
    ), person as (
      select changed.id as call_id, changed.created_at, person.*
      from event join changed on changed.id = event."callId",
        jsonb_to_recordset(event.participants) as person("userId" uuid, state text, "deviceId" uuid,
          "joinedAt" timestamptz, "leftAt" timestamptz, devices jsonb)
    ), written as (
      insert into call_participants (call_id, user_id, device_id, state, joined_at, left_at, created_at)
      select call_id, "userId", "deviceId", state, "joinedAt", "leftAt", created_at from person
      on conflict (call_id, user_id) do update
        set device_id = excluded.device_id, state = excluded.state,
          joined_at = excluded.joined_at, left_at = excluded.left_at
    )
    insert into call_participant_devices (call_id, user_id, device_id, joined_at, left_at)
    select call_id, "userId", stay."deviceId", stay."joinedAt", stay."leftAt"
    from person, jsonb_to_recordset(person.devices)
      as stay("deviceId" uuid, "joinedAt" timestamptz, "leftAt" timestamptz)
    on conflict (call_id, user_id, device_id, joined_at) do update set left_at = excluded.left_at`;
}
