import type { Gap, HostCoverage } from '@whokilled/shared/http-api'
import type pg from 'pg'
import { hostTokenOf } from '../store/host-token.ts'
import { newestIdsFirst, silentSeconds } from './hosts.ts'
import { hostCondition } from './names.ts'
import { iso } from './timestamps.ts'

/** Hosts in one answer. */
export const coverageHostsMax = 1_000

/** Bytes of gaps in one answer, as JSON. */
export const gapsBytesMax = 8_388_608

/** What of a gap's reason is told: an agent may write what it likes. */
const reasonLengthMax = 500

/** How far the record of each matching host reaches between two times, and where it has gaps; by name. */
export async function findCoverage(
  database: pg.Pool,
  asked: { readonly host: string | undefined; readonly since: string; readonly until: string },
): Promise<HostCoverage[]> {
  const host = hostCondition(asked.host)
  const { rows } = await database.query<{ name: string; complete_until: string | null; gaps: Gap[] }>(sql, [
    host.exact,
    host.like,
    asked.since,
    asked.until,
    `${silentSeconds} seconds`,
    coverageHostsMax,
    reasonLengthMax,
    gapsBytesMax,
  ])
  return rows.map(({ name, complete_until, gaps }) => ({ host: name, completeUntil: complete_until, gaps }))
}

/** Gaps of runs (`r`) some of whose events are dead letters (`d`) under their own host's subject, or were. */
const putAside = (runs: string, letters: string) => `
    select r.host_name, r.host_id, r.first_at, r.last_at, 'events-put-aside',
      format('%s events of the agent could not be stored', aside.letters + r.dropped_letters), 0
    from runs r join chosen on chosen.name = r.host_name and chosen.id = r.host_id, asked, lateral (
      select count(*) as letters from dead_letters d
      where d.host_id = r.host_id and ${letters}
        and starts_with(d.subject, 'whokilled.v1.' || ${hostTokenOf('r.host_name')} || '.')
    ) as aside
    where ${runs} and r.last_at >= asked.since and r.first_at < asked.until and aside.letters + r.dropped_letters > 0`

/** Of a dead letter whose run was folded. */
const hasNoRun = `not exists (
        select from runs own where own.host_name = r.host_name and own.host_id = r.host_id and own.run_id = d.run_id
      )`

// told:      gaps that the agent told itself; the newest word about each counts. One without an end has ended when
//            watching began again.
// unwatched: what no run of the agent says it watched, up to the time that the record reaches.
// tail:      nothing has come since, and should have.
// missing:   numbers of a run that never came. A hole may still be on its way, so it counts after two minutes.
// put aside: events of a run that came and are dead letters, or were, under the host's own subject; also of runs that
//            were folded.
// shown:     each host's newest gap first, then each host's second: one host with too many does not use up the others'
//            room. What there is no room for is one gap of its host, from the first to the end of the last.
const sql = `
  with asked as (
    select $3::timestamptz as since, $4::timestamptz as until
  ),
  chosen as (
    ${newestIdsFirst('($1::text[] is null or name = any ($1)) and ($2::text is null or name like $2)', '$6')}
  ),
  told as (
    select distinct on (c.host_name, c.host_id, c.from_at, c.reason)
      c.host_name, c.host_id, c.from_at, c.reason, c.lost_records,
      c.event ->> 'why' as why,
      coalesce(c.to_at, (
        select min(lower(piece)) from runs r, unnest(r.watched) as piece
        where r.host_name = c.host_name and r.host_id = c.host_id and r.last_at >= c.from_at and lower(piece) > c.from_at
      )) as to_at
    from coverage c
      join chosen on chosen.name = c.host_name and chosen.id = c.host_id, asked
    where c.state = 'gap' and c.from_at < asked.until
    order by c.host_name, c.host_id, c.from_at, c.reason, c.at desc
  ),
  watched as (
    select r.host_name, r.host_id, range_agg(r.watched) as times
    from runs r join chosen on chosen.name = r.host_name and chosen.id = r.host_id, asked
    where r.last_at >= asked.since and r.watched && tstzrange(asked.since, asked.until)
    group by r.host_name, r.host_id
  ),
  told_times as (
    select host_name, host_id, range_agg(tstzrange(from_at, greatest(from_at, coalesce(to_at, 'infinity')), '[]')) as times
    from told group by host_name, host_id
  ),
  unwatched as (
    select chosen.name as host_name, chosen.id as host_id, unnest(
      tstzmultirange(tstzrange(asked.since, least(asked.until, chosen.complete_until)))
      - coalesce(watched.times, '{}') - coalesce(told_times.times, '{}')
    ) as times
    from asked, chosen
      left join watched on watched.host_name = chosen.name and watched.host_id = chosen.id
      left join told_times on told_times.host_name = chosen.name and told_times.host_id = chosen.id
    where chosen.complete_until > asked.since
  ),
  gaps as (
    select host_name, host_id, from_at, to_at, why, reason, lost_records
    from told, asked where coalesce(to_at, 'infinity') > asked.since
    union all
    select host_name, host_id, lower(times), upper(times), 'not-watched', 'not watched', 0 from unwatched
    union all
    select name, id, greatest(complete_until, asked.since), null, case when state = 'stopped' then 'stopped' else 'silent' end,
      case when state = 'stopped' then coalesce('stopped: ' || state_reason, 'stopped') else 'silent' end, 0
    from chosen, asked
    where complete_until < asked.until
      and (state = 'stopped' or (state = 'watching' and last_received_at < now() - $5::interval))
    union all
    select r.host_name, r.host_id, r.first_at, r.last_at, 'events-lost',
      format('%s events of the agent never came', missing_count(r.seqs) + r.missing_closed), 0
    from runs r join chosen on chosen.name = r.host_name and chosen.id = r.host_id, asked
    where r.last_at >= asked.since and r.first_at < asked.until
      and (r.missing_closed > 0 or r.incomplete_since < now() - interval '2 minutes')
    union all
    ${putAside("r.run_id <> ''", 'd.run_id = r.run_id')}
    union all
    ${putAside("r.run_id = ''", hasNoRun)}
    union all
    select name, id, from_at, to_at, 'ids-forgotten', format('%s older ids of this host were forgotten', host_ids), 0
    from chosen join forgotten on host_name = name, asked
    where place = 1 and to_at >= asked.since and from_at < asked.until
  ),
  written as (
    select host_name, host_id, from_at, row_number() over (partition by host_name, host_id order by from_at desc) as place,
      to_at, jsonb_build_object(
        'host', host_name, 'from', ${iso('from_at')}, 'to', ${iso('to_at')}, 'why', why, 'reason', left(reason, $7),
        'lostRecords', lost_records
      ) as gap
    from gaps
  ),
  fitting as (
    select *, sum(octet_length(gap::text)) over (order by place, host_name, host_id rows unbounded preceding) <= $8 as fits
    from written
  ),
  shown as (
    select host_name, host_id, from_at, gap from fitting where fits
    union all
    select host_name, host_id, min(from_at), jsonb_build_object(
        'host', host_name, 'from', ${iso('min(from_at)')},
        'to', ${iso("nullif(max(coalesce(to_at, 'infinity')), 'infinity')")},
        'why', 'too-many', 'reason', format('%s gaps, too many to tell each', count(*)), 'lostRecords', 0
      )
    from fitting where not fits group by host_name, host_id
  )
  select name, ${iso('complete_until')} as complete_until,
    coalesce((
      select jsonb_agg(gap order by from_at) from shown
      where shown.host_name = chosen.name and shown.host_id = chosen.id
    ), '[]') as gaps
  from chosen order by name, id`
