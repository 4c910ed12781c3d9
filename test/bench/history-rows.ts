import type { NeonQueryFunction } from "@neondatabase/serverless";

/** How large the history is that pages are read from. */
export interface HistorySize {
  /** Each is in the history of two people. */
  readonly calls: number;
  readonly people: number;
  /** One person has a part in every so-manieth call. */
  readonly share: number;
}

/** At once, as one statement: more would be one long silence. */
const CHUNK = 25_000;

/** When the first call was; each of the others a second after the one before. */
const FIRST = Date.UTC(2024, 0, 1);

/** The person with by far the most calls. */
export const BUSIEST = "00000000-0000-4000-8000-000000000001";

/** When the call of this number was, and its id: a UUIDv7, as calls have. */
export function positionOf(n: number): { createdAt: Date; id: string } {
  const time = FIRST + n * 1_000;
  const hex = `${time.toString(16).padStart(12, "0")}70008${n.toString(16).padStart(15, "0")}`;
  return { createdAt: new Date(time), id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") };
}

/**
 * Fills an empty database with calls of all outcomes. The busiest person makes half of theirs, has deleted every 50th
 * entry, and has blocked whoever made every 40th.
 */
export async function fillHistory(
  sql: NeonQueryFunction<false, false>,
  { calls, people, share }: HistorySize,
  say: (line: string) => void,
): Promise<void> {
  await sql`
    insert into users (id, name)
    select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Person ' || n
    from generate_series(1, ${people}::int) as n`;
  for (let from = 1; from <= calls; from += CHUNK) {
    await fillChunk(sql, { from, to: Math.min(calls, from + CHUNK - 1), people, share });
    if (from % (CHUNK * 5) === 1 && from > 1) say(`history: ${from - 1} of ${calls} calls`);
  }
  await sql`vacuum analyze`;
}

interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly people: number;
  readonly share: number;
}

async function fillChunk(sql: NeonQueryFunction<false, false>, { from, to, people, share }: Chunk): Promise<void> {
  await sql`
    with numbered as (
      select n, n / (2 * ${share}::int) as kind,
        (lpad(to_hex(${FIRST}::bigint + n * 1000::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid as id,
        to_timestamp((${FIRST}::bigint + n * 1000::bigint) / 1000) as at,
        case when n % (2 * ${share}::int) = 0 then 1 else 2 + n::bigint * 7919 % (${people}::int - 2) end as caller,
        case when n % (2 * ${share}::int) = ${share}::int then 1 else 3 + n::bigint * 7919 % (${people}::int - 2) end as callee
      from generate_series(${from}::int, ${to}::int) as n
    ), told as (
      select id, at, n,
        ('00000000-0000-4000-8000-' || lpad(to_hex(caller), 12, '0'))::uuid as caller,
        ('00000000-0000-4000-8000-' || lpad(to_hex(callee), 12, '0'))::uuid as callee,
        case when kind % 40 = 3 then 'blocked' when kind % 1000 = 7 then 'busy' when kind % 5 = 0 then 'missed'
          when kind % 11 = 0 then 'declined' when kind % 13 = 0 then 'cancelled' else 'completed' end as outcome
      from numbered
    ), made as (
      insert into calls (id, initiator_id, call_type, state, outcome, end_reason, connected_at, ended_at,
        duration_seconds, created_at, revision)
      select id, caller, 'video', 'ended', outcome, 'hung_up', at, at + interval '60 seconds', 60, at, 5 from told
    ), parts as (
      select id, at, n, caller as person, 'outgoing' as direction, replace(outcome, 'blocked', 'missed') as outcome
      from told
      union all
      select id, at, n, callee, 'incoming', outcome from told
    )
    insert into call_participants
      (call_id, user_id, device_id, state, joined_at, left_at, direction, outcome, legs, hidden_at, created_at)
    select id, person, gen_random_uuid(), 'left', at, at + interval '60 seconds', direction, outcome,
      jsonb_build_array(jsonb_build_object('deviceId', id, 'state', 'answered')),
      case when person = ${BUSIEST}::uuid and n % (50 * ${share}::int) = 0 then at end, at
    from parts order by id, person`;
}
