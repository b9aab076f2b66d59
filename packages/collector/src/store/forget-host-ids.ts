import type { ClientBase } from 'pg'

/** Ids kept of one host's name. An id is an installation: a host that is installed anew each day has 90 in 90 days. */
export const hostIdsMax = 100

/**
 * Forgets the ids of these names that were not heard of longest, with their runs, where there are more than a hundred;
 * how many. Their deaths stay. Whoever has a host's key can make up ids without end; other names are not touched.
 */
export async function forgetHostIds(client: ClientBase, names: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ forgotten: number }>(sql, [names, hostIdsMax])
  return rows[0]?.forgotten ?? 0
}

// What another collector has locked is left for the next time: nobody waits here.
const sql = `
  with crowded as (
    select name, count(*) as ids from hosts where name = any ($1) group by name having count(*) > $2
  ),
  old as (
    select each.name, each.id from crowded, lateral (
      select name, id from hosts where hosts.name = crowded.name
      order by last_received_at, id limit crowded.ids - $2
      for update skip locked
    ) as each
  ),
  gone as (
    delete from hosts using old where hosts.name = old.name and hosts.id = old.id
    returning hosts.name, hosts.id, hosts.last_seen_at
  ),
  old_runs as (
    select host_name, host_id, run_id from runs
    where (host_name, host_id) in (select name, id from gone)
    for update skip locked
  ),
  gone_runs as (
    delete from runs using old_runs as old
    where runs.host_name = old.host_name and runs.host_id = old.host_id and runs.run_id = old.run_id
    returning runs.host_name, runs.first_at, runs.last_at
  ),
  times as (
    select name, last_seen_at as first_at, last_seen_at as last_at from gone
    union all
    select host_name, first_at, last_at from gone_runs
  ),
  noted as (
    insert into forgotten as f (host_name, host_ids, from_at, to_at)
    select name, (select count(*) from gone where gone.name = times.name), least(min(first_at), now()), least(max(last_at), now())
    from times group by name order by name
    on conflict (host_name) do update set
      host_ids = f.host_ids + excluded.host_ids,
      from_at = least(f.from_at, excluded.from_at),
      to_at = greatest(f.to_at, excluded.to_at),
      noted_at = now()
  )
  select count(*)::integer as forgotten from gone`
