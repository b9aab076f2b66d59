import { hostTokenOf } from './host-token.ts'

/**
 * SQL that deletes the dead letters whose digests the query `chosen` finds; answers `dropped`, how many. They are noted
 * with the runs they came from (of a run that was folded: with what is left of it), so that answers go on to tell that
 * they are missing. Runs are locked in the order in which collectors do.
 */
export function dropLetters(chosen: string): string {
  return `
  with gone as (
    delete from dead_letters where digest in (${chosen}) returning subject, host_id, run_id
  ),
  counted as (
    select split_part(subject, '.', 3) as token, host_id, run_id, count(*) as letters
    from gone where run_id is not null group by 1, 2, 3
  ),
  found as (
    select distinct on (c.token, c.host_id, c.run_id) r.host_name, r.host_id, r.run_id, c.letters
    from counted c join runs r on r.host_id = c.host_id and r.run_id in (c.run_id, '') and c.token = ${hostTokenOf('r.host_name')}
    order by c.token, c.host_id, c.run_id, r.run_id desc
  ),
  summed as (
    select host_name, host_id, run_id, sum(letters) as letters from found group by 1, 2, 3
  ),
  locked as (
    select r.host_name, r.host_id, r.run_id, s.letters from summed s join runs r using (host_name, host_id, run_id)
    order by r.host_name collate "C", r.host_id collate "C", r.run_id collate "C" for update of r
  ),
  noted as (
    update runs as r set dropped_letters = r.dropped_letters + l.letters from locked l
    where r.host_name = l.host_name and r.host_id = l.host_id and r.run_id = l.run_id
  )
  select count(*)::integer as dropped from gone`
}
