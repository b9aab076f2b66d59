import pg from 'pg'
import type { Fate } from './fates.ts'

/** What became of the events of some hosts. `accepted`, by those who sent them; the rest, by the rows in Postgres. */
export interface Ledger {
  /** Events that the spool said are on disk. */
  readonly accepted: number
  /** Of these, how many are in Postgres. */
  readonly stored: number
  /** Events that a collector found stored already. Those that one counted just before its SIGKILL are not among them. */
  readonly duplicates: number
  /** Accepted and not in Postgres. */
  readonly lost: number
  /** Events that were refused by a spool, and counted. */
  readonly refused: number
  /** Lost and refused events that stored gap events tell of. */
  readonly gaps: number
  /** Numbers of a run that never came: what the collector can prove. */
  readonly holes: number
  /** Accepted events that are not stored, and that neither gap events nor holes account for. */
  readonly silent: readonly string[]
  /** Rows that are there twice. */
  readonly twice: readonly string[]
  /** Rows of events that nobody made. */
  readonly strangers: readonly string[]
  /** Stored, though their sender was killed before it could say that they are on disk. */
  readonly unsaid: number
}

const sql = `
  with stored as (
    select id, host_name, null::bigint as lost, event from deaths
    union all select id, host_name, null, event from signals
    union all select id, host_name, case when state = 'gap' then lost_records end, event from coverage
  )
  select id::text, lost from stored where host_name = any ($1)`

const missingSql = `
  select run_id, seqs::text, missing_count(seqs) + missing_closed as missing from runs
  where host_id in (select id from hosts where name = any ($1))`

/** Draws the ledger up. `duplicates` comes from the collectors' metrics. */
export async function drawUp(
  databaseUrl: string,
  hosts: readonly { readonly name: string; fates(): Map<string, Fate> }[],
  duplicates: number,
): Promise<Ledger> {
  const names = hosts.map(({ name }) => name)
  const fates = new Map(hosts.flatMap((host) => [...host.fates()]))
  const { rows, runs } = await ask(databaseUrl, async (client) => ({
    rows: (await client.query<{ id: string; lost: string | null }>(sql, [names])).rows,
    runs: (await client.query<{ run_id: string; seqs: string; missing: string }>(missingSql, [names])).rows,
  }))
  const stored = new Set(rows.map(({ id }) => id))
  const accepted = [...fates.values()].filter(({ acceptedMs }) => acceptedMs !== undefined)
  const lost = accepted.filter(({ id }) => !stored.has(id))
  const gaps = rows.reduce((sum, row) => sum + Number(row.lost ?? 0), 0)
  const refused = [...fates.values()].filter((fate) => fate.refused).length
  const holes = new Map(runs.map(({ run_id, seqs }) => [run_id, holesIn(seqs)]))
  return {
    accepted: accepted.length,
    stored: accepted.length - lost.length,
    duplicates,
    lost: lost.length,
    refused,
    gaps,
    holes: runs.reduce((sum, { missing }) => sum + Number(missing), 0),
    silent:
      gaps >= lost.length + refused
        ? []
        : lost.filter(({ runId, seq }) => holes.get(runId)?.(seq) !== true).map(({ id }) => id),
    twice: repeated(rows.map(({ id }) => id)),
    strangers: [...stored].filter((id) => !fates.has(id)),
    unsaid: [...fates.values()].filter(({ id, acceptedMs }) => acceptedMs === undefined && stored.has(id)).length,
  }
}

/** Ids of all stored events of these hosts. */
export async function storedIds(databaseUrl: string, names: readonly string[]): Promise<Set<string>> {
  const { rows } = await ask(databaseUrl, (client) => client.query<{ id: string }>(sql, [names]))
  return new Set(rows.map(({ id }) => id))
}

const countSql = `
  select (select count(*) from deaths where host_name = any ($1)) +
    (select count(*) from signals where host_name = any ($1)) +
    (select count(*) from coverage where host_name = any ($1)) as count`

/** How many events of these hosts are stored; none while Postgres does not answer. */
export async function storedCount(databaseUrl: string, names: readonly string[]): Promise<number> {
  const counted = await ask(databaseUrl, (client) => client.query<{ count: string }>(countSql, [names])).catch(
    () => undefined,
  )
  return Number(counted?.rows[0]?.count ?? 0)
}

/** One question, over a connection of its own: servers come and go here. */
export async function ask<T>(databaseUrl: string, question: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return await question(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

function repeated(ids: readonly string[]): string[] {
  const seen = new Set<string>()
  return ids.filter((id) => seen.size === seen.add(id).size)
}

/** Whether a number below the highest that came is missing, of ranges as Postgres writes them: `{[1,5),[7,9)}`. */
function holesIn(seqs: string): (seq: number) => boolean {
  const pieces = [...seqs.matchAll(/\[(\d+),(\d+)\)/g)].map(([, from, to]) => [Number(from), Number(to)] as const)
  const end = pieces.at(-1)?.[1] ?? 1
  return (seq) => seq < end && !pieces.some(([from, to]) => from <= seq && seq < to)
}
