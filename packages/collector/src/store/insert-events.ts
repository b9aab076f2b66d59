import type { EventType } from '@whokilled/shared/event'
import type { ClientBase } from 'pg'
import type { ValidEvent } from '../ingest/validate.ts'
import { coverageInsert } from './insert-coverage.ts'
import { deathsInsert } from './insert-deaths.ts'
import { sessionsInsert } from './insert-sessions.ts'
import { signalsInsert } from './insert-signals.ts'

/** What became of events of one type. */
export interface Inserted {
  /** How many were new. */
  readonly stored: number
  /** Those that Postgres refused, and what it said. */
  readonly refused: readonly { readonly event: ValidEvent; readonly said: Refusal }[]
}

/** SQLSTATE and words. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

/** Stores events of one type. */
export type InsertEvents = (client: ClientBase, type: EventType, events: readonly ValidEvent[]) => Promise<Inserted>

const inserts: Readonly<Record<EventType, string>> = {
  death: deathsInsert,
  signal: signalsInsert,
  coverage: coverageInsert,
  session: sessionsInsert,
}

/** All in one statement; rejects if Postgres refuses one of them. */
export const insertTogether: InsertEvents = async (client, type, events) => {
  const { rowCount } = await client.query(inserts[type], [`[${events.map(({ json }) => json).join()}]`])
  return { stored: rowCount ?? 0, refused: [] }
}

/** Statements end after 30 s. */
const eventsMax = 1_000

/** One after the other, within Postgres: takes longer, and tells which ones it refused. */
export const insertEach: InsertEvents = async (client, type, events) => {
  let stored = 0
  const refused: { event: ValidEvent; said: Refusal }[] = []
  for (let from = 0; from < events.length; from += eventsMax) {
    const some = events.slice(from, from + eventsMax)
    const { rows } = await client.query<EachRow>(each, [inserts[type], some.map(({ json }) => json)])
    for (const { place, stored: added, code, message } of rows) {
      const event = some[place - 1]
      stored += added
      if (code !== null && event !== undefined) refused.push({ event, said: { code, message: message ?? '' } })
    }
  }
  return { stored, refused }
}

interface EachRow {
  readonly place: number
  readonly stored: number
  readonly code: string | null
  readonly message: string | null
}

const each = 'select place::integer, stored::integer, code, message from store_each($1, $2)'
