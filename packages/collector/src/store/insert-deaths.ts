/** Stores death events given as one JSON array; counts those that were new. */
export const deathsInsert = `
  insert into deaths (
    at, id, host_id, host_name, boot_id, run_id, seq, service_name, service_kind, cause,
    exit_code, exit_signal, victim_pid, victim_comm, victim_exe,
    killer_pid, killer_comm, killer_exe, killer_uid, killer_user, killer_login_uid,
    sender_status, behalf_name, confidence, summary, incident_id, clock_offset_ms, clock_uncertainty_ms, event
  )
  select
    (e ->> 'at')::timestamptz, (e ->> 'id')::uuid, e #>> '{host,id}', e #>> '{host,name}', e #>> '{host,bootId}',
    e #>> '{agent,runId}', (e #>> '{agent,seq}')::bigint, e #>> '{service,name}', e #>> '{service,kind}', e ->> 'cause',
    (e #>> '{exit,code}')::smallint, (e #>> '{exit,signal,number}')::smallint,
    (e #>> '{victim,pid}')::bigint, e #>> '{victim,comm}', e #>> '{victim,exe}',
    (e #>> '{killer,pid}')::bigint, e #>> '{killer,comm}', e #>> '{killer,exe}',
    (e #>> '{killer,uid}')::bigint, e #>> '{killer,user}', (e #>> '{killer,loginUid}')::bigint,
    e #>> '{signal,senderStatus}', e #>> '{behalf,name}', e #>> '{verdict,confidence}', e #>> '{verdict,summary}',
    e ->> 'incidentId', (e #>> '{clock,offsetMs}')::float8, (e #>> '{clock,uncertaintyMs}')::float8, e
  from jsonb_array_elements($1::text::jsonb) as e
  on conflict do nothing`
