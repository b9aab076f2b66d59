import { readdir, readFile, writeFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deathEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { startCollector } from '../src/collector.ts'
import { createLog } from '../src/log.ts'
import { migrate } from '../src/migrate.ts'
import { insertDeaths } from '../src/store/insert-deaths.ts'
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
  await pool.query(`insert into dead_letters (digest, received_at, reason, detail, subject, stream_seq, payload_bytes, payload)
    select int4send(n), now() - n * interval '1 minute', 'test', '', '', n, 0, '' from generate_series(1, 5) as n`)

  expect(await prune(pool, null, 100)).toEqual({ partitions: 0, deadLetters: 0 })
  expect(await prune(pool, 90, 3)).toEqual({ partitions: 1, deadLetters: 2 })
  expect(await tableOf(pool)).toHaveLength(1)
  const letters = await pool.query('select stream_seq::int from dead_letters order by 1')
  expect(letters.rows.map(({ stream_seq }) => stream_seq)).toEqual([1, 2, 3])
})

test('a run of an agent with more holes than are kept has them closed and counted', async () => {
  await using database = await migrated()
  const events = Array.from({ length: 1_200 }, (_, index) =>
    deathEvent({ agent: { version: '0', probe: 'replay', runId: 'r', seq: index * 2 + 1 } }),
  )
  const client = await database.pool.connect()
  await updateRuns(client, events, [])
  client.release()
  const { rows } = await database.pool.query(`select seqs::text, missing_closed::int from runs`)
  expect(rows).toEqual([{ seqs: '{[1,2400)}', missing_closed: 1_199 }])
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
    return await insertDeaths(client, JSON.stringify(events))
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
