import type { HostStatus } from '@whokilled/shared/http-api'
import type pg from 'pg'
import { countOf } from './count.ts'
import { iso } from './timestamps.ts'

/** A host from which nothing has come for this long is silent: three times what lies between two coverage events. */
export const silentSeconds = 90

/** Hosts in one answer. */
const hostsMax = 10_000

/** Every host that was ever heard of, by name. */
export async function findHosts(database: pg.Pool): Promise<HostStatus[]> {
  const { rows } = await database.query<HostRow>(sql, [`${silentSeconds} seconds`, hostsMax])
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    bootId: row.boot_id,
    agentVersion: row.agent_version,
    probe: row.probe,
    state: row.state,
    lastSeenAt: row.last_seen_at,
    watchedSince: row.watched_since,
    lostRecords: countOf(row.lost_records),
    lostEvents: countOf(row.lost_events),
  }))
}

interface HostRow {
  readonly id: string
  readonly name: string
  readonly boot_id: string
  readonly agent_version: string
  readonly probe: string
  readonly state: HostStatus['state']
  readonly last_seen_at: string
  readonly watched_since: string | null
  readonly lost_records: string
  readonly lost_events: string
}

/**
 * SQL for rows of `hosts`, of each name first the id that was heard of last (`place` 1): a host with many does not push
 * others out. `where` and `limit` are SQL, too.
 */
export function newestIdsFirst(where: string, limit: string): string {
  return `select * from (
      select *, row_number() over (partition by name order by last_received_at desc, id) as place from hosts
      where ${where}
    ) as each
    order by place, name, id limit ${limit}`
}

// A state that this version does not know is not one of watching.
const sql = `
  select id, name, boot_id, agent_version, probe,
    case
      when state = 'stopped' then 'stopped'
      when last_received_at < now() - $1::interval then 'silent'
      when state = 'watching' then 'watching'
      else 'gap'
    end as state,
    ${iso('last_seen_at')} as last_seen_at,
    ${iso('watched_since')} as watched_since,
    (
      select coalesce(sum(lost_records), 0) from (
        select distinct on (from_at, reason) lost_records from coverage
        where host_name = hosts.name and host_id = hosts.id and state = 'gap' order by from_at, reason, at desc
      ) as newest_word
    ) as lost_records,
    (
      select coalesce(sum(missing_closed
        + case when incomplete_since < now() - interval '2 minutes' then missing_count(seqs) else 0 end), 0)
      from runs where host_name = hosts.name and host_id = hosts.id
    ) as lost_events
  from (
    ${newestIdsFirst('true', '$2')}
  ) as hosts
  order by name, id`
