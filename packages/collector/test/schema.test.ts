import { readdir, readFile, writeFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deathEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { startCollector } from '../src/collector.ts'
import { createLog } from '../src/log.ts'
import { migrate } from '../src/migrate.ts'
import { inTransaction } from '../src/store/database.ts'
import { deathsInsert } from '../src/store/insert-deaths.ts'
import { makePartitions } from '../src/store/partitions.ts'
import { prune } from '../src/store/prune.ts'
import { updateRuns } from '../src/store/update-runs.ts'
import { testConfig } from './running.ts'
import { dumpSchema } from './schema-dump.ts'

const migrations = new URL('../migrations', import.meta.url)
const dumpFile = new URL('../schema.sql', import.meta.url)

let postgres: PostgresServer

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres[Symbol.asyncDispose]()
})

test('the migrations make the schema in schema.sql (WRITE_SCHEMA=1 writes it anew)', async () => {
  await using database = await migrated()
  const dump = await dumpSchema(database.pool)
  if (process.env.WRITE_SCHEMA === '1') await writeFile(dumpFile, dump)
  expect(dump).toBe(await readFile(dumpFile, 'utf8'))
})

test('migrating again does nothing, and two migrations at a time wait for each other', async () => {
  const url = await postgres.createDatabase()
  const runs = await Promise.all([migrate({ postgresUrl: url }), migrate({ postgresUrl: url })])
  expect(runs.flat()).toEqual(await migrationNames())
  expect(await migrate({ postgresUrl: url })).toEqual([])
})

test('a collector refuses tables that are older or newer than itself, and says what to do', async () => {
  const url = await postgres.createDatabase()
  const start = async () => {
    const collector = await startCollector(testConfig('nats://127.0.0.1:1', url), createLog('silent'), {
      migrate: false,
    })
    return await collector.ended
  }
  await expect(start()).rejects.toMatchObject({
    code: 'schema-old',
    hint: expect.stringContaining('whokilled-collector migrate'),
  })

  await migrate({ postgresUrl: url })
  await query(url, `insert into migrations (name, run_on) values ('999999', now())`)
  await expect(start()).rejects.toMatchObject({ code: 'schema-new' })
})

test('weeks are made ahead once, and events that came before their week was made move into it', async () => {
  await using database = await migrated()
  const { pool } = database
  const at = new Date().toISOString()
  await insert(pool, deathEvent({ at }))
  expect(await tableOf(pool)).toEqual(['deaths_default'])
  // Two collectors may start together.
  const made = await Promise.all([makePartitions(pool), makePartitions(pool)])
  expect(made[0] + made[1]).toBe(4 * 6)
  expect(await tableOf(pool)).toEqual([expect.stringMatching(/^deaths_\d{8}$/)])
  expect(await makePartitions(pool)).toBe(0)
  // The event is still known by its id.
  expect(await insert(pool, deathEvent({ at }))).toBe(0)
})

test('weeks that are too old are dropped, and dead letters beyond their number are deleted, oldest first', async () => {
  await using database = await migrated()
  const { pool } = database
  await pool.query(`select make_partition('deaths', now() - interval '100 days')`)
  await makePartitions(pool)
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
  await insert(pool, deathEvent({ at: daysAgo(100) }), deathEvent({ at: daysAgo(200) }), deathEvent({ at: daysAgo(0) }))
  await pool.query(`update deaths set received_at = at`)
  await pool.query(`insert into dead_letters (digest, received_at, reason, detail, subject, stream_seq, payload_bytes, payload)
    select int4send(n), now() - n * interval '1 minute', 'test', '', '', n, 0, '' from generate_series(1, 5) as n`)

  expect(await prune(pool, null, 100)).toEqual({ partitions: 0, deadLetters: 0 })
  expect(await prune(pool, 90, 3)).toEqual({ partitions: 1, deadLetters: 2 })
  expect(await tableOf(pool)).toHaveLength(1)
  const letters = await pool.query('select stream_seq::int from dead_letters order by 1')
  expect(letters.rows.map(({ stream_seq }) => stream_seq)).toEqual([1, 2, 3])
})

test('what a host says whose clock is a year behind is kept as long as what others say', async () => {
  await using database = await migrated()
  const { pool } = database
  await makePartitions(pool)
  const lastYear = new Date(Date.now() - 400 * 86_400_000).toISOString()
  const events = [1, 2].map((seq) =>
    deathEvent({ at: lastYear, agent: { version: '0', probe: 'replay', runId: 'r', seq } }),
  )
  await insert(pool, ...events)
  await inTransaction(pool, (client) => updateRuns(client, events, []))
  const left = async () => {
    const { rows } = await pool.query('select seqs::text from runs')
    return { events: (await tableOf(pool)).length, runs: rows.map(({ seqs }) => seqs) }
  }
  await prune(pool, 90, 100)
  expect(await left()).toEqual({ events: 2, runs: ['{[1,3)}'] })
  await pool.query(`update deaths set received_at = received_at - interval '91 days'`)
  await prune(pool, 90, 100)
  expect(await left()).toEqual({ events: 0, runs: [] })
})

test('tokens that expired or were revoked a month ago are deleted, whatever is kept of events', async () => {
  await using database = await migrated()
  await database.pool.query(`
    insert into tokens (digest, name, scope, expires_at, revoked_at)
    select int4send(n::int), name, 'read', now() - expired * interval '1 day', now() - revoked * interval '1 day'
    from (values
      (1, 'good for ever', null, null), (2, 'good', -1, null), (3, 'expired', 29, null), (4, 'revoked', null, 29),
      (5, 'expired long ago', 31, null), (6, 'revoked long ago', null, 31), (7, 'revoked long ago, not expired', -10, 31)
    ) as token (n, name, expired, revoked)`)
  await prune(database.pool, null, 100)
  const { rows } = await database.pool.query('select name from tokens order by digest')
  expect(rows.map(({ name }) => name)).toEqual(['good for ever', 'good', 'expired', 'revoked'])
})

describe('a run of an agent with more holes than are kept', () => {
  const events = (count: number, first: number) =>
    Array.from({ length: count }, (_, index) =>
      deathEvent({ agent: { version: '0', probe: 'replay', runId: 'r', seq: index * 2 + first } }),
    )
  const found = async (pool: pg.Pool) => (await pool.query(`select seqs::text, missing_closed::int from runs`)).rows
  const note = (pool: pg.Pool, ...given: [Parameters<typeof updateRuns>[1], Parameters<typeof updateRuns>[2]]) =>
    inTransaction(pool, (client) => updateRuns(client, ...given))

  test('has lost nothing if they are filled soon, as when collectors work off a backlog', async () => {
    await using database = await migrated()
    await note(database.pool, events(1_200, 1), [])
    await note(database.pool, events(1_200, 2), [])
    expect(await found(database.pool)).toEqual([{ seqs: '{[1,2401)}', missing_closed: 0 }])
  })

  test('has them closed and counted after two minutes', async () => {
    await using database = await migrated()
    await note(database.pool, events(1_200, 1), [])
    await database.pool.query(`update runs set incomplete_since = incomplete_since - interval '3 minutes'`)
    await note(database.pool, events(1, 2_401), [])
    expect(await found(database.pool)).toEqual([{ seqs: '{[1,2402)}', missing_closed: 1_200 }])
  })

  test('has them closed at once if there are very many', async () => {
    await using database = await migrated()
    const stamp = { hostName: 'web-3', hostId: 'host-web-3', runId: 'r' }
    const stamps = Array.from({ length: 50_001 }, (_, index) => ({ ...stamp, seq: index * 2 + 1 }))
    const letter = { reason: 'too-many', detail: '', subject: '', streamSeq: 1, eventCount: 50_001 } as const
    await note(database.pool, [], [{ ...letter, payload: new Uint8Array(), stamps }])
    expect(await found(database.pool)).toEqual([{ seqs: '{[1,100002)}', missing_closed: 50_000 }])
  })
})

async function migrated() {
  const url = await postgres.createDatabase()
  await migrate({ postgresUrl: url })
  const pool = new pg.Pool({ connectionString: url, max: 2, options: '-c timezone=UTC' })
  return { pool, [Symbol.asyncDispose]: () => pool.end() }
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

async function insert(pool: pg.Pool, ...events: object[]): Promise<number> {
  const client = await pool.connect()
  try {
    const { rowCount } = await client.query(deathsInsert, [JSON.stringify(events)])
    return rowCount ?? 0
  } finally {
    client.release()
  }
}

async function tableOf(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query('select tableoid::regclass::text as name from deaths order by at')
  return rows.map(({ name }) => name)
}

async function migrationNames(): Promise<string[]> {
  return (await readdir(migrations)).map((file) => file.replace(/\.sql$/, '')).sort()
}
