import type { EventType } from '@whokilled/shared/event'
import type pg from 'pg'
import type { DeadLetter } from '../ingest/dead-letter.ts'
import { isStorableStamp, type ValidEvent } from '../ingest/validate.ts'
import { inTransaction, isRefusedData } from './database.ts'
import { insertDeadLetters } from './insert-dead-letters.ts'
import { insertEach, insertTogether, type Refusal } from './insert-events.ts'
import { updateHosts } from './update-hosts.ts'
import { updateRuns } from './update-runs.ts'

/** What a batch brought. */
export interface Stored {
  readonly newByType: Readonly<Record<EventType, number>>
  readonly duplicates: number
  readonly deadLetters: readonly DeadLetter[]
  /** What was given up of hosts that make up too many runs and ids. */
  readonly runsFolded: number
  readonly hostIdsForgotten: number
}

/**
 * Stores a batch. Storing it again changes nothing.
 *
 * One transaction. If Postgres refuses the data its events are stored one after the other, in another one, and those
 * that it refuses become dead letters; if it refuses what else is noted of them, halves of the batch are tried, down to
 * the one event that is to blame. Rejects, with part of it stored perhaps, if Postgres cannot be reached.
 */
export async function storeBatch(
  pool: pg.Pool,
  events: readonly ValidEvent[],
  deadLetters: readonly DeadLetter[],
): Promise<Stored> {
  try {
    return await inTransaction(pool, (client) => storeIn(client, events, deadLetters))
  } catch (error) {
    if (!isRefusedData(error)) throw error
    if (events.length === 0) return await storeLettersAlone(pool, deadLetters, error)
  }
  try {
    return await inTransaction(pool, (client) => storeIn(client, events, deadLetters, null, insertEach))
  } catch (error) {
    if (!isRefusedData(error)) throw error
    const [only] = events
    if (events.length === 1 && only !== undefined) {
      return storeBatch(pool, [], [...deadLetters, refused(only, error as pg.DatabaseError & Refusal)])
    }
    const middle = events.length >> 1
    const first = await storeBatch(pool, events.slice(0, middle), deadLetters)
    const second = await storeBatch(pool, events.slice(middle), [])
    return sum(first, second)
  }
}

/** Stores within a transaction that somebody else ends. `receivedAt`: when the events came, if that was not now. */
export async function storeIn(
  client: pg.PoolClient,
  valid: readonly ValidEvent[],
  deadLetters: readonly DeadLetter[],
  receivedAt: string | null = null,
  insert = insertTogether,
): Promise<Stored> {
  const newByType = { death: 0, signal: 0, coverage: 0, session: 0 }
  const bad = new Map<ValidEvent, DeadLetter>()
  for (const type of ['death', 'signal', 'coverage', 'session'] as const) {
    const ofType = valid.filter(({ event }) => event.type === type)
    if (ofType.length === 0) continue
    const { stored, refused: no } = await insert(client, type, ofType)
    newByType[type] = stored
    for (const { event, said } of no) bad.set(event, refused(event, said))
  }
  const good = bad.size === 0 ? valid : valid.filter((event) => !bad.has(event))
  const letters = [...deadLetters, ...bad.values()]
  const events = good.map(({ event }) => event)
  const hostIdsForgotten = events.length === 0 ? 0 : await updateHosts(client, events, receivedAt)
  const added = await insertDeadLetters(client, letters)
  const runsFolded = await updateRuns(client, events, letters)
  const stored = newByType.death + newByType.signal + newByType.coverage + newByType.session
  return { newByType, duplicates: good.length - stored, deadLetters: added, runsFolded, hostIdsForgotten }
}

/**
 * A dead letter that Postgres refuses would come again for ever, and hold up all that comes after it. What is read of
 * its stamps is all that could be to blame: it is kept without.
 */
async function storeLettersAlone(pool: pg.Pool, deadLetters: readonly DeadLetter[], error: unknown): Promise<Stored> {
  if (deadLetters.every(({ stamps }) => stamps.length === 0)) throw error
  const middle = Math.ceil(deadLetters.length / 2)
  if (deadLetters.length > 1) {
    return sum(
      await storeBatch(pool, [], deadLetters.slice(0, middle)),
      await storeBatch(pool, [], deadLetters.slice(middle)),
    )
  }
  return await storeBatch(
    pool,
    [],
    deadLetters.map((letter) => ({ ...letter, stamps: [] })),
  )
}

const wordsMax = 500

/** The dead letter of an event that Postgres refused. */
export function refused({ event, json, subject, streamSeq }: ValidEvent, said: Refusal): DeadLetter {
  const stamp = { hostName: event.host.name, hostId: event.host.id, runId: event.agent.runId, seq: event.agent.seq }
  // Postgres repeats what it refuses, whole.
  const detail = `Postgres refused it (${said.code}): ${said.message.slice(0, wordsMax)}`
  return {
    reason: 'not-storable',
    detail,
    subject,
    streamSeq,
    payload: Buffer.from(json),
    eventCount: 1,
    stamps: isStorableStamp(stamp) ? [stamp] : [],
  }
}

function sum(a: Stored, b: Stored): Stored {
  const newByType = {
    death: a.newByType.death + b.newByType.death,
    signal: a.newByType.signal + b.newByType.signal,
    coverage: a.newByType.coverage + b.newByType.coverage,
    session: a.newByType.session + b.newByType.session,
  }
  return {
    newByType,
    duplicates: a.duplicates + b.duplicates,
    deadLetters: [...a.deadLetters, ...b.deadLetters],
    runsFolded: a.runsFolded + b.runsFolded,
    hostIdsForgotten: a.hostIdsForgotten + b.hostIdsForgotten,
  }
}
