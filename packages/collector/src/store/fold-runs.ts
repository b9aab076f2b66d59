import type { ClientBase } from 'pg'

/**
 * Runs kept of one host's name. An agent that systemd starts again every 5 s makes as many in 83 minutes: then the
 * oldest become one row, and nothing is lost but which of them it was. What came within two minutes may not be complete
 * yet, and is folded only beyond the second limit.
 */
export const runsMax = 1_000
export const runsAtOnceMax = 10_000
/** More are folded than there have to be, so that not every new run makes work. */
const runsLeft = 900

/** Folds the runs of these names that were not heard of longest into one row a host, where there are too many; how many. */
export async function foldRuns(client: ClientBase, names: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ folded: number }>(sql, [names, runsMax, runsAtOnceMax, runsLeft])
  return rows[0]?.folded ?? 0
}

// What another collector has locked is left for the next time. Of an id that the host forgot nothing is kept.
const sql = `
  with crowded as (
    select host_name, count(*) as runs from runs
    where host_name = any ($1) and run_id <> '' group by host_name having count(*) > $2
  ),
  old as (
    select each.* from crowded, lateral (
      select host_name, host_id, run_id from runs
      where runs.host_name = crowded.host_name and run_id <> ''
        and (crowded.runs > $3 or last_received_at < now() - interval '2 minutes')
      order by last_received_at, host_id, run_id limit crowded.runs - $4
      for update skip locked
    ) as each
  ),
  gone as (
    delete from runs using old
    where runs.host_name = old.host_name and runs.host_id = old.host_id and runs.run_id = old.run_id
    returning runs.*
  ),
  folded as (
    insert into runs as r (host_name, host_id, run_id, first_at, last_at, seqs, missing_closed, dropped_letters, watched)
    select host_name, host_id, '', min(first_at), max(last_at), '{}', sum(missing_closed + missing_count(seqs)),
      sum(dropped_letters), range_agg(watched)
    from gone
    where exists (select from hosts where name = host_name and id = host_id)
    group by host_name, host_id order by host_name, host_id
    on conflict (host_name, host_id, run_id) do update set
      first_at = least(r.first_at, excluded.first_at),
      last_at = greatest(r.last_at, excluded.last_at),
      missing_closed = r.missing_closed + excluded.missing_closed,
      dropped_letters = r.dropped_letters + excluded.dropped_letters,
      watched = r.watched + excluded.watched,
      last_received_at = now()
  )
  select count(*)::integer as folded from gone`
