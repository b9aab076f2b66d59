import type { Socket } from 'node:net'
import type { DeathEvent } from '@whokilled/shared/event'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { deathEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { listDeadLetters } from '../src/dead-letters/list.ts'
import type { DeadLetter } from '../src/ingest/dead-letter.ts'
import { validateMessage } from '../src/ingest/validate.ts'
import { migrate } from '../src/migrate.ts'
import { findCoverage, gapsBytesMax } from '../src/query/coverage.ts'
import { decodeCursor, eventId } from '../src/query/cursor.ts'
import { findDeaths } from '../src/query/deaths.ts'
import { pageBytesMax } from '../src/query/page.ts'
import { storeBatch } from '../src/store/store-batch.ts'

let postgres: PostgresServer
let database: pg.Pool
/** Of the pool's only connection. */
let socket: Socket

beforeAll(async () => {
  postgres = await startPostgres()
  const url = await postgres.createDatabase()
  await migrate({ postgresUrl: url })
  database = new pg.Pool({ connectionString: url, max: 1, idleTimeoutMillis: 0, options: '-c timezone=UTC' })
  database.on('connect', (client) => {
    socket = (client as unknown as { connection: { stream: Socket } }).connection.stream
  })
})
beforeEach(async () => {
  for (const table of ['dead_letters', 'deaths', 'signals', 'coverage', 'hosts', 'runs'])
    await database.query(`delete from ${table}`)
})
afterAll(async () => {
  await database.end()
  await postgres[Symbol.asyncDispose]()
})

const largestBytes = 262_144
const anyDeath = { service: undefined, host: undefined, cause: undefined, since: null, until: null }
const anyLetter = { digest: undefined, reason: undefined, host: undefined, before: null }

describe('a page', () => {
  test('of the largest deaths holds 8 MiB of them, and the next goes on where it ended', async () => {
    const deaths = Array.from({ length: 80 }, (_, n) => largeDeath(n))
    for (const death of deaths) await store([death])
    const sizes: number[] = []
    const ids: string[] = []
    let after = null
    do {
      const before = socket.bytesRead
      const page = await findDeaths(database, { ...anyDeath, limit: 1_000, after })
      // Postgres sent no more either.
      expect(socket.bytesRead - before).toBeLessThan(pageBytesMax * 1.1)
      sizes.push(page.deaths.length)
      ids.push(...page.deaths.map(({ id }) => id))
      after = page.nextCursor === null ? null : (decodeCursor(page.nextCursor, eventId) ?? null)
    } while (after !== null)
    expect(ids).toEqual(deaths.map(({ id }) => id).reverse())
    expect(sizes).toEqual([32, 32, 16])
  })

  test.each([1, 32, 33])('of %i deaths is full before it ends by its bytes, or after', async (limit) => {
    for (let n = 0; n < 34; n++) await store([largeDeath(n)])
    const { deaths, nextCursor } = await findDeaths(database, { ...anyDeath, limit, after: null })
    expect(deaths).toHaveLength(Math.min(limit, 32))
    expect(nextCursor).not.toBeNull()
  })

  test('that holds the last rows has no cursor, also if it is full', async () => {
    await store([smallDeath(1), smallDeath(2)])
    const page = (limit: number) => findDeaths(database, { ...anyDeath, limit, after: null })
    expect(await page(2)).toMatchObject({ deaths: [{}, {}], nextCursor: null })
    expect(await page(3)).toMatchObject({ deaths: [{}, {}], nextCursor: null })
    expect((await page(1)).nextCursor).not.toBeNull()
  })

  test('holds one row at least, however large it is', async () => {
    const texts = ['x', 'y'].map((letter) => letter.repeat(pageBytesMax))
    await store(
      texts.map((text, n) => ({ ...smallDeath(n), later: text })),
      16_777_216,
    )
    const first = await findDeaths(database, { ...anyDeath, limit: 10, after: null })
    expect(first.deaths.map(({ later }) => String(later)[0])).toEqual(['y'])
    const after = decodeCursor(first.nextCursor ?? '', eventId) ?? null
    const second = await findDeaths(database, { ...anyDeath, limit: 10, after })
    expect(second.deaths.map(({ later }) => String(later)[0])).toEqual(['x'])
    expect(second.nextCursor).toBeNull()
  })

  test('of dead letters with their bytes is bounded, too', async () => {
    const letters = Array.from({ length: 12 }, (_, n) => letter(`${n} `.repeat(500_000).slice(0, 1_000_000)))
    await storeBatch(database, [], letters)
    const asked = { limit: 1_000, payloadBytes: 1_048_576 }
    const first = await listDeadLetters(database, anyLetter, { ...asked, after: null })
    expect(first.letters.length).toBe(6)
    const second = await listDeadLetters(database, anyLetter, { ...asked, after: first.next })
    expect({ ...second, letters: second.letters.length }).toEqual({ letters: 6, next: null })
    const texts = [...first.letters, ...second.letters].map(({ payload = '' }) => Buffer.from(payload, 'base64'))
    expect(texts.map(String).sort()).toEqual(letters.map(({ payload }) => String(payload)).sort())
  })
})

describe('the coverage', () => {
  const asked = { host: undefined, since: '2026-11-22T00:00:00.000Z', until: '2026-11-23T00:00:00.000Z' }
  const second = (n: number) => `2026-11-22T${new Date(n * 1_000).toISOString().slice(11, 19)}.000000Z`

  test('of a host that tells of too many gaps has the newest, and the rest as one; other hosts keep theirs', async () => {
    // What an agent may write into one event.
    const reason = '\u0001'.repeat(10_000)
    await database.query(
      `insert into hosts (name, id, boot_id, agent_version, probe, last_seen_at, last_received_at, complete_until)
      select name, 'id', '', '', '', $1, now(), $1 from unnest(array['a-noisy', 'b-quiet', 'c-quiet']) as name`,
      [asked.until],
    )
    await database.query(
      `insert into coverage (at, id, host_id, host_name, run_id, seq, state, from_at, to_at, reason, lost_records, event)
      select $1::timestamptz, gen_random_uuid(), 'id', name, 'run', 1, 'gap', $1::timestamptz + n * interval '1 s',
        $1::timestamptz + (n + 1) * interval '1 s', case name when 'a-noisy' then $2 else 'short' end, 0, '{}'
      from unnest(array['a-noisy', 'b-quiet', 'c-quiet'], array[20000, 3, 3]) as host (name, gaps), generate_series(1, gaps) as n`,
      [asked.since, reason],
    )
    const coverage = await findCoverage(database, asked)
    expect(JSON.stringify(coverage).length).toBeLessThan(gapsBytesMax * 1.01)
    const [noisy, ...quiet] = coverage
    expect(quiet.map(({ gaps }) => gaps.filter(({ reason }) => reason === 'short').length)).toEqual([3, 3])
    const told = noisy?.gaps.filter(({ why }) => why === null) ?? []
    expect(told.length).toBeGreaterThan(1_000)
    expect(told.at(-1)).toMatchObject({ from: second(20_000), reason: reason.slice(0, 500) })
    // One more: the rest of the day, not watched, is its newest.
    const merged = noisy?.gaps.filter(({ why }) => why === 'too-many')
    expect(merged).toEqual([
      {
        host: 'a-noisy',
        // The first second of the day was not watched either.
        from: second(0),
        to: second(20_001 - told.length),
        why: 'too-many',
        reason: `${20_001 - told.length} gaps, too many to tell each`,
        lostRecords: 0,
      },
    ])
  })
})

test('of a batch in which Postgres refuses every second event the others are stored, and each bad one is told once', async () => {
  const lines = Array.from({ length: 2_000 }, (_, n) => {
    const death = deathEvent({ agent: { version: '0', probe: 'replay', runId: 'run', seq: n + 1 } })
    return JSON.stringify(death).replace(`"seq":${n + 1}`, n % 2 === 0 ? `"seq":${n + 1}` : `"seq":${n + 1}.0`)
  })
  const data = Buffer.from(lines.join('\n'))
  const message = { subject: 'whokilled.v1.web-3.death', streamSeq: 1, data }
  const { events } = validateMessage(message, largestBytes)
  expect(events).toHaveLength(2_000)
  const first = await storeBatch(database, events, [])
  expect(first).toMatchObject({ newByType: { death: 1_000 }, duplicates: 0 })
  expect(first.deadLetters.map(({ reason, payload }) => [reason, String(payload)])).toEqual(
    expect.arrayContaining(lines.filter((_, n) => n % 2 === 1).map((line) => ['not-storable', line])),
  )
  expect(first.deadLetters).toHaveLength(1_000)
  // Dead letters have come: no number is missing.
  expect((await database.query('select seqs::text from runs')).rows).toEqual([{ seqs: '{[1,2001)}' }])
  expect(await storeBatch(database, events, [])).toMatchObject({
    newByType: { death: 0 },
    duplicates: 1_000,
    deadLetters: [],
  })
})

function smallDeath(n: number): DeathEvent {
  return deathEvent({ at: `2026-11-22T19:00:${String(n).padStart(2, '0')}.000000Z` })
}

function largeDeath(n: number): DeathEvent {
  const at = new Date(Date.UTC(2026, 10, 22, 19, 0, n)).toISOString().replace('Z', '000Z')
  return deathEvent({ at, later: 'large '.repeat(largestBytes / 6 - 900) })
}

function letter(text: string): DeadLetter {
  return {
    reason: 'not-json',
    detail: 'expected a test',
    subject: 'whokilled.v1.web-3.death',
    streamSeq: 1,
    payload: Buffer.from(text),
    eventCount: 1,
    stamps: [],
  }
}

async function store(events: readonly DeathEvent[], eventBytesMax = largestBytes) {
  const data = Buffer.from(events.map((event) => JSON.stringify(event)).join('\n'))
  const message = { subject: 'whokilled.v1.web-3.death', streamSeq: 1, data }
  const { events: valid, deadLetters } = validateMessage(message, eventBytesMax)
  expect(deadLetters).toEqual([])
  return await storeBatch(database, valid, [])
}
