import type pg from 'pg'
import type { DeadLetter } from '../ingest/dead-letter.ts'
import { type ValidEvent, validateMessage } from '../ingest/validate.ts'
import type { Cursor } from '../query/cursor.ts'
import { iso } from '../query/timestamps.ts'
import { inTransaction, isRefusedData } from '../store/database.ts'
import { digestOf, storableText } from '../store/insert-dead-letters.ts'
import type { Refusal } from '../store/insert-events.ts'
import { refused, storeIn } from '../store/store-batch.ts'
import { isSelected, type Selection, selected } from './selection.ts'

/** One transaction takes no more than these. */
const lettersMax = 100
const bytesMax = 4_194_304
const attemptsMax = 5

/** What became of some dead letters. */
export interface Retried {
  /** Events stored for the first time. */
  readonly stored: number
  /** Events that were stored already. */
  readonly duplicates: number
  /** Dead letters that stay, with what is wrong with them now. */
  readonly failed: number
  /** Dead letters of which only the first MiB was kept. */
  readonly cut: number
  /** Where to go on; null: there are no more. */
  readonly next: Cursor | null
}

/**
 * Tries the next dead letters, oldest first: what this program's rules find good is stored, and leaves the dead
 * letters in the same transaction. The rest stays, with what is wrong with it now. Two at a time do not meet: each
 * takes the ones that the other does not have.
 */
export async function retryDeadLetters(
  database: pg.Pool,
  selection: Selection,
  { eventBytesMax, after }: { readonly eventBytesMax: number; readonly after: Cursor | null },
): Promise<Retried> {
  const chosen = await choose(database, selection, after)
  const last = chosen.at(-1)
  if (last === undefined) return { stored: 0, duplicates: 0, failed: 0, cut: 0, next: null }
  const digests = chosen.map(({ id }) => id)
  for (let attempt = 1; ; attempt++) {
    try {
      const done = await inTransaction(database, (client) => retryIn(client, digests, eventBytesMax, storeTogether))
      return { ...done, next: last }
    } catch (error) {
      if (isRefusedData(error)) {
        const done = await inTransaction(database, (client) => retryIn(client, digests, eventBytesMax, storeOneByOne))
        return { ...done, next: last }
      }
      // A collector that stores meanwhile may want the same rows in another order; Postgres lets one of the two go on.
      if (!isCollision(error) || attempt >= attemptsMax) throw error
    }
  }
}

function isCollision(error: unknown): boolean {
  return ['40001', '40P01'].includes((error as { code?: string }).code ?? '')
}

async function choose(database: pg.Pool, selection: Selection, after: Cursor | null): Promise<Cursor[]> {
  const { rows } = await database.query<Cursor & { bytes: number }>(chooseSql, [
    ...selected(selection),
    after?.at ?? null,
    after?.id ?? null,
    lettersMax,
  ])
  let bytes = 0
  // The first in any case.
  return rows.filter((row, index) => {
    bytes += row.bytes
    return index === 0 || bytes <= bytesMax
  })
}

const chooseSql = `
  select encode(digest, 'hex') as id, ${iso('received_at')} as at, octet_length(payload) as bytes
  from dead_letters
  where ${isSelected}
    and ($5::timestamptz is null or (received_at, digest) > ($5, decode($6, 'hex')))
  order by received_at, digest
  limit $7`

interface Kept {
  readonly digest: string
  readonly receivedAt: string
  readonly subject: string
  readonly streamSeq: string
  readonly isCut: boolean
  readonly payload: Buffer
}

const takeSql = `
  select encode(digest, 'hex') as digest, ${iso('received_at')} as "receivedAt", subject, stream_seq as "streamSeq",
    octet_length(payload) < payload_bytes as "isCut", payload
  from dead_letters where digest = any ($1::bytea[]) order by received_at, digest
  for update skip locked`

type Store = (
  client: pg.PoolClient,
  events: readonly ValidEvent[],
  bad: readonly DeadLetter[],
  receivedAt: string,
) => Promise<{ stored: number; duplicates: number; bad: readonly DeadLetter[] }>

async function retryIn(client: pg.PoolClient, digests: readonly string[], eventBytesMax: number, store: Store) {
  const { rows: kept } = await client.query<Kept>(takeSql, [digests.map(bytesOf)])
  const whole = kept.filter(({ isCut }) => !isCut)
  const cut = kept.length - whole.length
  const oldest = whole[0]?.receivedAt
  if (oldest === undefined) return { stored: 0, duplicates: 0, failed: 0, cut }
  const events: ValidEvent[] = []
  const found: DeadLetter[] = []
  for (const { subject, streamSeq, payload } of whole) {
    const tried = validateMessage({ subject, streamSeq: Number(streamSeq), data: payload }, eventBytesMax)
    for (const event of tried.events) events.push(event)
    for (const letter of tried.deadLetters) found.push(letter)
  }
  // The host was heard of when the dead letters came, not now.
  const { stored, duplicates, bad } = await store(client, events, found, oldest)
  const stay = new Map(bad.map((letter) => [digestOf(letter).toString('hex'), letter]))
  const gone = whole.map(({ digest }) => digest).filter((digest) => !stay.has(digest))
  await client.query('delete from dead_letters where digest = any ($1::bytea[])', [gone.map(bytesOf)])
  for (const [digest, { reason, detail, stamps }] of stay) {
    const [stamp] = stamps
    await client.query(updateSql, [
      bytesOf(digest),
      reason,
      storableText(detail),
      stamp?.hostId ?? null,
      stamp?.runId ?? null,
      stamp?.seq ?? null,
      oldest,
    ])
  }
  return { stored, duplicates, failed: stay.size, cut }
}

function bytesOf(digest: string): Buffer {
  return Buffer.from(digest, 'hex')
}

// A piece of one that held several is new, and as old as the oldest it may come from.
const updateSql = `
  update dead_letters set
    reason = $2, detail = $3, host_id = coalesce($4, host_id), run_id = coalesce($5, run_id), seq = coalesce($6, seq),
    received_at = case when received_at = now() then $7::timestamptz else received_at end
  where digest = $1`

const storeTogether: Store = async (client, events, bad, receivedAt) => {
  const { newByType, duplicates } = await storeIn(client, events, bad, receivedAt)
  return { stored: Object.values(newByType).reduce((sum, count) => sum + count, 0), duplicates, bad }
}

/** Where Postgres refused one of them: each on its own, so that the others are stored. */
const storeOneByOne: Store = async (client, events, bad, receivedAt) => {
  let stored = 0
  let duplicates = 0
  const all = [...bad]
  for (const event of events) {
    await client.query('savepoint one')
    try {
      const one = await storeTogether(client, [event], [], receivedAt)
      stored += one.stored
      duplicates += one.duplicates
      await client.query('release savepoint one')
    } catch (error) {
      if (!isRefusedData(error)) throw error
      await client.query('rollback to savepoint one')
      all.push(refused(event, error as pg.DatabaseError & Refusal))
    }
  }
  await storeIn(client, [], all, receivedAt)
  return { stored, duplicates, bad: all }
}
