import { sql } from "drizzle-orm";
import type { CallEvent, DeviceEvent, LedgerEvent, PushEvent, UserEvent } from "../../schema/ledger.ts";
import type { Database } from "./database.ts";

/**
 * The statements of the ledger. Events go in as one JSON parameter each, so that a statement's text
 * is the same for every batch. A row changes only if the event's revision is higher than its own.
 */

/** All of the events or none, in one transaction and one request. */
export async function writeEvents(db: Database, events: readonly LedgerEvent[]): Promise<void> {
  const calls = events.filter((event) => event.kind === "call");
  const merged = calls.filter(isMerged).map(({ callId }) => callId);
  await db.batch([
    db.execute(writePlaceholders(events)),
    db.execute(writeUsers(events.filter((event) => event.kind === "user"))),
    db.execute(writeDevices(events.filter((event) => event.kind === "device"))),
    db.execute(writeCalls(calls)),
    db.execute(writeCallEvents(calls)),
    db.execute(writePushes(events.filter((event) => event.kind === "push"))),
    db.execute(removePeople(merged)),
  ]);
}

/**
 * Whoever an event refers to has a row: a user's own event may have been lost, and come only when their object sends it
 * again. Its revision is higher than that of the row made here, and so completes it. All ids of the batch in one order:
 * two batches that each bring a user of the other's calls would wait for each other.
 */
function writePlaceholders(events: readonly LedgerEvent[]) {
  const userIds = [...new Set(events.flatMap(usersIn))].sort();
  return sql`
    insert into users (id, name)
    select id::uuid, 'User ' || right(id, 8) from jsonb_array_elements_text(${JSON.stringify(userIds)}::jsonb) as id
    on conflict (id) do nothing`;
}

function usersIn(event: LedgerEvent): string[] {
  switch (event.kind) {
    case "user":
    case "device":
      return [event.userId];
    case "call":
      return [event.initiatorId, ...event.participants.map(({ userId }) => userId)];
    case "push":
      return [];
  }
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

/** Both called each other and the other call went on: this one is in nobody's history. */
function isMerged({ reason }: CallEvent): boolean {
  return reason === "glare_merged";
}

/** One statement decides for a call and everything under it: only a call that changed passes its people on. */
function writeCalls(events: readonly CallEvent[]) {
  const listed = events.map((event) => (isMerged(event) ? { ...event, participants: [] } : event));
  return sql`
    with event as (
      select * from jsonb_to_recordset(${JSON.stringify(listed)}::jsonb)
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
      select changed.id as call_id, changed.created_at,
        case when event."initiatorId" = person."userId" then 'outgoing' else 'incoming' end as direction, person.*
      from event join changed on changed.id = event."callId",
        jsonb_to_recordset(event.participants) as person("userId" uuid, state text, outcome text,
          "deviceId" uuid, "joinedAt" timestamptz, "leftAt" timestamptz, devices jsonb, legs jsonb)
    ), written as (
      insert into call_participants
        (call_id, user_id, device_id, state, direction, outcome, legs, joined_at, left_at, created_at)
      select call_id, "userId", "deviceId", state, direction, outcome, legs, "joinedAt", "leftAt", created_at
      from person
      on conflict (call_id, user_id) do update
        set device_id = excluded.device_id, state = excluded.state, direction = excluded.direction,
          outcome = excluded.outcome, legs = excluded.legs, joined_at = excluded.joined_at,
          left_at = excluded.left_at
    )
    insert into call_participant_devices as known (call_id, user_id, device_id, joined_at, left_at, media)
    select call_id, "userId", stay."deviceId", stay."joinedAt", stay."leftAt", stay.media
    from person, jsonb_to_recordset(person.devices)
      as stay("deviceId" uuid, "joinedAt" timestamptz, "leftAt" timestamptz, media jsonb)
    on conflict (call_id, user_id, device_id, joined_at) do update
      set left_at = excluded.left_at, media = coalesce(excluded.media, known.media)`;
}

/**
 * What happened is known by its revision and never changes. So all of it is kept, also of an event that comes after a
 * newer one and changes nothing else.
 */
function writeCallEvents(events: readonly CallEvent[]) {
  return sql`
    insert into call_events (call_id, rev, at, kind, data)
    select event."callId", entry.rev, entry.at, entry.kind, said - array['rev', 'at', 'kind']
    from jsonb_to_recordset(${JSON.stringify(events)}::jsonb) as event("callId" uuid, log jsonb),
      jsonb_array_elements(event.log) as said,
      jsonb_to_record(said) as entry(rev integer, at timestamptz, kind text)
    on conflict (call_id, rev) do nothing`;
}

/** The last word on a push is that of its last attempt. */
function writePushes(events: readonly PushEvent[]) {
  return sql`
    insert into call_pushes (call_id, user_id, device_id, purpose, provider, result, status, attempts, at)
    select "callId", "userId", "deviceId", purpose, provider, result, status, attempts, at
    from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
      as event("callId" uuid, "userId" uuid, "deviceId" uuid, purpose text, provider text, result text,
        status integer, attempts integer, at timestamptz)
    on conflict (call_id, user_id, device_id, purpose) do update
      set provider = excluded.provider, result = excluded.result, status = excluded.status,
        attempts = excluded.attempts, at = excluded.at
      where call_pushes.attempts < excluded.attempts`;
}

/**
 * A call that was merged was listed while it rang. Its own row stays, so that late events find it and change nothing.
 * A statement after the call's: it has to see what a batch wrote that was faster.
 */
function removePeople(callIds: readonly string[]) {
  return sql`
    with gone as (
      select id::uuid from jsonb_array_elements_text(${JSON.stringify(callIds)}::jsonb) as id
    ), stays as (
      delete from call_participant_devices where call_id in (select id from gone)
    )
    delete from call_participants where call_id in (select id from gone)`;
}
