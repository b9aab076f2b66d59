import type { Event } from '@whokilled/shared/event'
import { realOf } from '@whokilled/shared/vocabulary'
import type { ClientBase } from 'pg'
import type { DeadLetter } from '../ingest/dead-letter.ts'
import { foldRuns } from './fold-runs.ts'
import { isFragmented, trimWatched } from './trim-watched.ts'

/**
 * A run with more holes than this has them closed and counted, so that its row stays small. While collectors work off a
 * backlog side by side there may be more for a moment, which are still on their way: they count after two minutes, as
 * in the answers. The second limit holds at once.
 */
const holesMax = 1_000
const holesAtOnceMax = 50_000

/**
 * Notes the numbers that have come from each run of an agent, and the times it watched. Sets, not sums: whatever comes
 * twice or out of order changes nothing. A dead letter has come too. How many runs were folded, because their host made
 * too many.
 */
export async function updateRuns(
  client: ClientBase,
  events: readonly Event[],
  deadLetters: readonly DeadLetter[],
): Promise<number> {
  const rows = runRows(events, deadLetters)
  if (rows.length === 0) return 0
  const json = JSON.stringify(rows)
  const { rows: stored } = await client.query<StoredRun>(upsert, [json])
  if (stored.some(({ has_hole }) => has_hole)) await client.query(closeHoles, [json, holesMax, holesAtOnceMax])
  const crowded = namesOf(stored.filter(({ is_new }) => is_new))
  const folded = crowded.length === 0 ? 0 : await foldRuns(client, crowded)
  const fragmented = namesOf(stored.filter(({ is_fragmented }) => is_fragmented))
  if (folded > 0 || fragmented.length > 0) await trimWatched(client, [...crowded, ...fragmented])
  return folded
}

interface StoredRun {
  readonly host_name: string
  readonly has_hole: boolean
  readonly is_new: boolean
  readonly is_fragmented: boolean
}

function namesOf(runs: readonly StoredRun[]): string[] {
  return [...new Set(runs.map(({ host_name }) => host_name))]
}

interface RunRow {
  readonly host_name: string
  readonly host_id: string
  readonly run_id: string
  first_at: string | null
  last_at: string | null
  seqs: string
  watched: string
}

interface RunKey {
  readonly hostName: string
  readonly hostId: string
  readonly runId: string
}

/** One row a run, ordered by key so that two collectors lock the rows in the same order. Ranges as Postgres reads them. */
export function runRows(events: readonly Event[], deadLetters: readonly DeadLetter[]): RunRow[] {
  const runs = new Map<string, RunKey & { times: string[]; seqs: number[]; watched: string[] }>()
  const runOf = ({ hostName, hostId, runId }: RunKey) => {
    const key = JSON.stringify([hostName, hostId, runId])
    const run = runs.get(key) ?? { hostName, hostId, runId, times: [], seqs: [], watched: [] }
    runs.set(key, run)
    return run
  }
  for (const event of events) {
    const run = runOf({ hostName: event.host.name, hostId: event.host.id, runId: event.agent.runId })
    run.seqs.push(event.agent.seq)
    run.times.push(event.at)
    if (event.type === 'coverage' && saysWatched.has(event.state))
      run.watched.push(range(event.from, event.to ?? event.at))
  }
  for (const { stamps } of deadLetters) for (const stamp of stamps) runOf(stamp).seqs.push(stamp.seq)

  return [...runs.keys()].sort().flatMap((key) => {
    const run = runs.get(key)
    if (run === undefined) return []
    const times = run.times.map((at) => ({ at, ms: Date.parse(at) })).sort((a, b) => a.ms - b.ms)
    return [
      {
        host_name: run.hostName,
        host_id: run.hostId,
        run_id: run.runId,
        first_at: times[0]?.at ?? null,
        last_at: times.at(-1)?.at ?? null,
        seqs: multirange(run.seqs),
        watched: `{${run.watched.join()}}`,
      },
    ]
  })
}

/** Neighbours in one range: Postgres would put thousands of single numbers together, too, but takes longer. */
function multirange(numbers: readonly number[]): string {
  const ranges: { from: number; to: number }[] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && number <= last.to + 1) last.to = number
    else ranges.push({ from: number, to: number })
  }
  return `{${ranges.map(({ from, to }) => `[${from},${to}]`).join()}}`
}

/** `stopped` says until when it was watched. */
const saysWatched = new Set<string>(['watching', 'stopped'])

/** A host's clock may have been set back in between. To the nanosecond: Postgres rounds what lies between microseconds. */
function range(from: string, to: string): string {
  return realOf(from) > realOf(to) ? `["${to}","${from}"]` : `["${from}","${to}"]`
}

const recordset = `
  jsonb_to_recordset($1::jsonb) as come (
    host_name text, host_id text, run_id text, first_at timestamptz, last_at timestamptz, seqs int8multirange, watched tstzmultirange
  )`

/** The same as missing_count() > 0, which takes longer than all the rest. */
const hasHole = (seqs: string) => `${seqs} <> int8multirange(int8range(1, upper(${seqs})))`

// now(), the time of the transaction, stands for no time: of a dead letter none is known.
const upsert = `
  insert into runs as r (host_name, host_id, run_id, first_at, last_at, seqs, incomplete_since, watched)
  select
    host_name, host_id, run_id, coalesce(first_at, now()), coalesce(last_at, now()), seqs,
    case when ${hasHole('seqs')} then now() end, watched
  from ${recordset}
  on conflict (host_name, host_id, run_id) do update set
    first_at = least(r.first_at, excluded.first_at),
    last_at = case when excluded.last_at = now() then r.last_at else greatest(r.last_at, excluded.last_at) end,
    seqs = r.seqs + excluded.seqs,
    incomplete_since = case when ${hasHole('(r.seqs + excluded.seqs)')} then coalesce(r.incomplete_since, now()) end,
    watched = r.watched + excluded.watched,
    last_received_at = now()
  returning r.host_name, r.incomplete_since is not null as has_hole, r.xmax = 0 as is_new, ${isFragmented} as is_fragmented`

const closeHoles = `
  update runs as r set
    missing_closed = r.missing_closed + missing_count(r.seqs),
    seqs = int8multirange(int8range(1, upper(r.seqs))),
    incomplete_since = null
  from ${recordset}
  where r.host_name = come.host_name and r.host_id = come.host_id and r.run_id = come.run_id
    and (select count(*) from unnest(r.seqs)) >
      case when r.incomplete_since < now() - interval '2 minutes' then $2::bigint else $3::bigint end`
