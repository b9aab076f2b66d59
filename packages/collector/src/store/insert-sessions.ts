import type { ClientBase } from 'pg'

/** Stores session events given as one JSON array; how many were new. */
export async function insertSessions(client: ClientBase, eventsJson: string): Promise<number> {
  const { rowCount } = await client.query(sql, [eventsJson])
  return rowCount ?? 0
}

const sql = `
  insert into sessions (at, id, host_id, host_name, run_id, seq, role, protocol, local, remote, clock_offset_ms, clock_uncertainty_ms, event)
  select
    (e ->> 'at')::timestamptz, (e ->> 'id')::uuid, e #>> '{host,id}', e #>> '{host,name}',
    e #>> '{agent,runId}', (e #>> '{agent,seq}')::bigint, e ->> 'role', e ->> 'protocol', e ->> 'local', e ->> 'remote', (e #>> '{clock,offsetMs}')::float8, (e #>> '{clock,uncertaintyMs}')::float8, e
  from jsonb_array_elements($1::jsonb) as e
  on conflict do nothing`
