/** Stores signal events given as one JSON array; counts those that were new. */
export const signalsInsert = `
  insert into signals (
    at, id, host_id, host_name, run_id, seq, service_name, service_kind, number, via, result,
    target_pid, sender_pid, sender_comm, sender_exe, sender_uid, sender_status, clock_offset_ms, clock_uncertainty_ms, event
  )
  select
    (e ->> 'at')::timestamptz, (e ->> 'id')::uuid, e #>> '{host,id}', e #>> '{host,name}',
    e #>> '{agent,runId}', (e #>> '{agent,seq}')::bigint, e #>> '{service,name}', e #>> '{service,kind}',
    (e ->> 'number')::smallint, e ->> 'via', e ->> 'result', (e #>> '{target,pid}')::bigint,
    (e #>> '{sender,pid}')::bigint, e #>> '{sender,comm}', e #>> '{sender,exe}', (e #>> '{sender,uid}')::bigint,
    e ->> 'senderStatus', (e #>> '{clock,offsetMs}')::float8, (e #>> '{clock,uncertaintyMs}')::float8, e
  from jsonb_array_elements($1::text::jsonb) as e
  on conflict do nothing`
