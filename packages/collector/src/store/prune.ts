import type pg from 'pg'
import { dropLetters } from './drop-letters.ts'
import { eventTables } from './partitions.ts'

/** What was deleted. */
export interface Pruned {
  readonly partitions: number
  readonly deadLetters: number
}

/** How long `token list` shows a token that is good for nothing any more. */
const tokenDays = 30

/**
 * Deletes what is older than `retentionDays` (null: nothing), the oldest dead letters beyond `deadLettersMax`, and tokens
 * that expired or were revoked 30 days ago. What a host says whose clock is far behind is as old as when it came.
 */
export async function prune(pool: pg.Pool, retentionDays: number | null, deadLettersMax: number): Promise<Pruned> {
  let partitions = 0
  if (retentionDays !== null) {
    for (const table of eventTables) partitions += await dropOldWeeks(pool, table, retentionDays)
    await pool.query(deleteRuns, [retentionDays])
    await pool.query(deleteOldIds, [retentionDays])
    await pool.query(`delete from forgotten where noted_at < now() - $1 * interval '1 day'`, [retentionDays])
    await pool.query(`delete from dead_letters where received_at < now() - $1 * interval '1 day'`, [retentionDays])
  }
  await pool.query(deleteTokens, [tokenDays])
  const { rows } = await pool.query<{ dropped: number }>(dropSurplus, [deadLettersMax])
  return { partitions, deadLetters: rows[0]?.dropped ?? 0 }
}

const dropSurplus = dropLetters('select digest from dead_letters order by received_at desc offset $1')

/** Drops the weeks that lie before the limit altogether, and deletes from the default partition. */
async function dropOldWeeks(pool: pg.Pool, table: string, retentionDays: number): Promise<number> {
  const { rows } = await pool.query<{ dropped: number }>(
    `select drop_partitions($1::text::regclass, (now() - $2 * interval '1 day')::date) as dropped`,
    [table, retentionDays],
  )
  await pool.query(`delete from ${table}_default where greatest(at, received_at) < now() - $1 * interval '1 day'`, [
    retentionDays,
  ])
  return rows[0]?.dropped ?? 0
}

/** Without its row a run that goes on would seem to have lost all that came before. */
const deleteRuns = `
  delete from runs as r where last_at < now() - $1 * interval '1 day'
    ${eventTables.map((table) => `and not exists (select from ${table}_default as e where e.run_id = r.run_id)`).join('\n    ')}`

/** A host's newest id stays, however long it has been silent. */
const deleteOldIds = `
  delete from hosts as h where last_received_at < now() - $1 * interval '1 day'
    and exists (select from hosts as newer where newer.name = h.name and newer.last_received_at > h.last_received_at)`

/** The times of what was never revoked, or never expires, do not matter. */
const deleteTokens = `delete from tokens where least(revoked_at, expires_at) < now() - $1 * interval '1 day'`
