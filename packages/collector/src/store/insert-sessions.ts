/** Stores session events given as one JSON array; counts those that were new. */
export const sessionsInsert = `
  insert into sessions (at, id, host_id, host_name, run_id, seq, role, protocol, local, remote, clock_offset_ms, clock_uncertainty_ms, event)
  select
    (e ->> 'at')::timestamptz, (e ->> 'id')::uuid, e #>> '{host,id}', e #>> '{host,name}',
    e #>> '{agent,runId}', (e #>> '{agent,seq}')::bigint, e ->> 'role', e ->> 'protocol', e ->> 'local', e ->> 'remote', (e #>> '{clock,offsetMs}')::float8, (e #>> '{clock,uncertaintyMs}')::float8, e
  from jsonb_array_elements($1::text::jsonb) as e
  on conflict do nothing`
