/** Stores coverage events given as one JSON array; counts those that were new. */
export const coverageInsert = `
  insert into coverage (
    at, id, host_id, host_name, run_id, seq, state, from_at, to_at, reason, lost_records, event
  )
  select
    (e ->> 'at')::timestamptz, (e ->> 'id')::uuid, e #>> '{host,id}', e #>> '{host,name}',
    e #>> '{agent,runId}', (e #>> '{agent,seq}')::bigint, e ->> 'state',
    (e ->> 'from')::timestamptz, (e ->> 'to')::timestamptz, e ->> 'reason', (e ->> 'lostRecords')::bigint, e
  from jsonb_array_elements($1::text::jsonb) as e
  on conflict do nothing`
