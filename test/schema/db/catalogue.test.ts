import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../../workers/ledger/database.ts";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";

const ID = "uuid not null default gen_random_uuid()";
const TIME = "timestamp(3) with time zone";
const NOW = `${TIME} not null default now()`;
const REVISION = "bigint not null default 0";

const COLUMNS = {
  users: {
    id: ID,
    name: "character varying(100) not null",
    avatar_url: "character varying(500)",
    created_at: NOW,
    revision: REVISION,
  },
  user_devices: {
    id: ID,
    user_id: "uuid not null",
    device_type: "character varying(50) not null",
    push_token: "character varying(4096)",
    is_active: "boolean not null default true",
    connected_at: TIME,
    last_seen: TIME,
    revision: REVISION,
  },
  calls: {
    id: ID,
    initiator_id: "uuid not null",
    call_type: "character varying(20) not null",
    state: "character varying(20) not null",
    answered_by: "uuid",
    connected_at: TIME,
    ended_at: TIME,
    duration_seconds: "integer",
    created_at: NOW,
    outcome: "character varying(20)",
    end_reason: "character varying(30)",
    revision: REVISION,
  },
  call_participants: {
    call_id: "uuid not null",
    user_id: "uuid not null",
    device_id: "uuid",
    state: "character varying(20) not null",
    joined_at: TIME,
    left_at: TIME,
    direction: "character varying(10) not null default 'incoming'::character varying",
    outcome: "character varying(20)",
    legs: "jsonb not null default '[]'::jsonb",
    hidden_at: TIME,
    created_at: NOW,
  },
  call_events: {
    call_id: "uuid not null",
    rev: "integer not null",
    at: `${TIME} not null`,
    kind: "character varying(20) not null",
    data: "jsonb not null",
  },
  call_pushes: {
    call_id: "uuid not null",
    user_id: "uuid not null",
    device_id: "uuid not null",
    purpose: "character varying(10) not null",
    provider: "character varying(20) not null",
    result: "character varying(20) not null",
    status: "integer",
    attempts: "integer not null",
    at: `${TIME} not null`,
  },
  call_participant_devices: {
    call_id: "uuid not null",
    user_id: "uuid not null",
    device_id: "uuid not null",
    joined_at: `${TIME} not null`,
    left_at: TIME,
    media: "jsonb",
  },
};

const NEWEST_FIRST = "created_at desc, call_id desc";
const KEPT = "(hidden_at is null)";
const LISTED = "((hidden_at is null) and ((outcome)::text is distinct from 'blocked'::text))";
const INDEXES = {
  idx_devices_user_active: "user_devices using btree (user_id) where is_active",
  idx_devices_connected: "user_devices using btree (id) where (connected_at is not null)",
  idx_calls_initiator: "calls using btree (initiator_id, created_at desc)",
  idx_calls_state:
    "calls using btree (state) where ((state)::text = any ((array['ringing'::character varying, 'connected'::character varying])::text[]))",
  idx_participants_user: "call_participants using btree (user_id, call_id)",
  idx_participants_history: `call_participants using btree (user_id, ${NEWEST_FIRST}) where ${LISTED}`,
  idx_participants_direction: `call_participants using btree (user_id, direction, ${NEWEST_FIRST}) where ${LISTED}`,
  idx_participants_outcome: `call_participants using btree (user_id, outcome, ${NEWEST_FIRST}) where ${KEPT}`,
  idx_participants_both: `call_participants using btree (user_id, direction, outcome, ${NEWEST_FIRST}) where ${KEPT}`,
};

const KEYS = {
  users: ["primary key (id)"],
  user_devices: ["foreign key (user_id) references users(id)", "primary key (id)"],
  calls: ["foreign key (initiator_id) references users(id)", "primary key (id)"],
  call_participants: [
    "foreign key (call_id) references calls(id)",
    "foreign key (user_id) references users(id)",
    "primary key (call_id, user_id)",
  ],
  call_events: ["foreign key (call_id) references calls(id)", "primary key (call_id, rev)"],
  call_pushes: ["primary key (call_id, user_id, device_id, purpose)"],
  call_participant_devices: [
    "foreign key (call_id, user_id) references call_participants(call_id, user_id)",
    "primary key (call_id, user_id, device_id, joined_at)",
  ],
};

describe.each(DATABASES)("the catalogue of an $name", ({ open }) => {
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await open();
    db = openDatabase({ DATABASE_URL: database.postgres.databaseUrl, NEON_LOCAL: database.postgres.neonLocal });
  });
  afterAll(() => database.close());

  it("has these tables and columns and no others", async () => {
    const { rows } = await db.execute(sql`
      select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as type
      from pg_attribute a
        join pg_class c on c.oid = a.attrelid and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attnum > 0 and not a.attisdropped`);
    const found: Record<string, Record<string, unknown>> = {};
    for (const { table, column, type } of rows)
      found[String(table)] = { ...found[String(table)], [String(column)]: type };
    expect(found).toEqual(COLUMNS);
  });

  it("has these indexes, with their order and predicates", async () => {
    const { rows } = await db.execute(sql`
      select indexname as name, lower(regexp_replace(indexdef, '.* ON public\.', '')) as definition
      from pg_indexes where schemaname = 'public' and indexname like 'idx%'`);
    expect(Object.fromEntries(rows.map(({ name, definition }) => [name, definition]))).toEqual(INDEXES);
  });

  it("has these primary and foreign keys", async () => {
    const { rows } = await db.execute(sql`
      select conrelid::regclass::text as table, lower(pg_get_constraintdef(oid)) as key
      from pg_constraint where contype in ('p', 'f') and connamespace = 'public'::regnamespace order by key`);
    const found: Record<string, unknown[]> = {};
    for (const { table, key } of rows) found[String(table)] = [...(found[String(table)] ?? []), key];
    expect(found).toEqual(KEYS);
  });
});
