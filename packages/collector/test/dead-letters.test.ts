import { createHash } from 'node:crypto'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { DeadLettersPage } from '@whokilled/shared/dead-letters-api'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { coverageEvent, deathEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { addToken } from '../src/access/add-token.ts'
import { retryDeadLetters } from '../src/dead-letters/retry.ts'
import { runProgram } from './run-program.ts'
import { eventually, type Running, startRunning } from './running.ts'

let postgres: PostgresServer
let running: Running
let database: pg.Pool
let admin: Record<string, string>

beforeAll(async () => {
  postgres = await startPostgres()
  running = await startRunning(postgres)
  database = new pg.Pool({ connectionString: running.databaseUrl, max: 3, options: '-c timezone=UTC' })
  database.on('error', () => {})
  await eventually(() => database.query('select from tokens'))
  admin = {
    authorization: `Bearer ${await addToken(database, { name: 'boss', scope: 'admin', expiresSeconds: null })}`,
    'content-type': 'application/json',
  }
})
beforeEach(async () => {
  for (const table of ['dead_letters', 'deaths', 'coverage', 'hosts', 'runs'])
    await database.query(`delete from ${table}`)
})
afterAll(async () => {
  await database.end()
  await running[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
})

const subject = 'whokilled.v1.web-3.death'
const anything = { digest: undefined, reason: undefined, host: undefined, before: null }
const program = (...args: string[]) =>
  runProgram(['dead-letters', ...args], { WHOKILLED_POSTGRES_URL: running.databaseUrl })
const numbered = (seq: number, name = 'kept') =>
  deathEvent({
    agent: { version: '0.1.0', probe: 'systemtap', runId: 'run-9', seq },
    service: { name, kind: 'process' },
  })

describe('retry', () => {
  test('stores what is good now, and takes it out of the dead letters; a number is no hole before or after', async () => {
    // As if an older collector had not known them.
    for (const seq of [1, 2, 3]) await keep({ reason: 'version', payload: JSON.stringify(numbered(seq)) })
    const { stdout, code } = await program('retry', '--reason', 'version')
    expect({ stdout, code }).toEqual({ stdout: '3 events stored, 0 were stored already.\n', code: 0 })
    expect(await counts()).toEqual({ letters: 0, deaths: 3 })
    expect((await database.query('select seqs::text from runs')).rows).toEqual([{ seqs: '{[1,4)}' }])
  })

  test('what still fails stays as long as it was, with what is wrong with it now', async () => {
    await keep({ reason: 'version', detail: 'expected v 0', payload: JSON.stringify({ ...numbered(1), v: 2 }) })
    await keep({ reason: 'schema', payload: 'rubbish' })
    await keep({ reason: 'schema', payload: JSON.stringify(numbered(2)) })
    const before = await letters()
    expect(JSON.parse((await program('retry', '--all', '--json')).stdout)).toEqual({
      stored: 1,
      duplicates: 0,
      failed: 2,
      cut: 0,
    })
    const after = await letters()
    expect(after.map(({ reason, detail }) => ({ reason, detail }))).toEqual([
      { reason: 'version', detail: 'expected v 1, got 2' },
      { reason: 'not-json', detail: 'expected one JSON object a line, got rubbish' },
    ])
    expect(after.map(({ received_at }) => received_at)).toEqual(
      before.slice(0, 2).map(({ received_at }) => received_at),
    )
    expect((await program('retry', '--all')).stdout).toContain('2 dead letters stay: dead-letters list tells')
  })

  test('what was cut at 1 MiB is left, and said', async () => {
    await keep({ reason: 'too-large', payload: 'x'.repeat(100), bytes: 2_000_000 })
    const { stdout } = await program('retry', '--all')
    expect(stdout).toContain('1 stay because only their first MiB was kept: they cannot be retried.')
    expect((await letters())[0]).toMatchObject({ reason: 'too-large' })
  })

  test('one that Postgres refuses does not keep its neighbours', async () => {
    for (let seq = 1; seq <= 40; seq++) await keep({ reason: 'schema', payload: JSON.stringify(numbered(seq)) })
    // An integer to JavaScript, and none to Postgres.
    const bad = JSON.stringify(numbered(41)).replace('"seq":41', '"seq":41.0')
    await keep({ reason: 'schema', payload: bad })
    for (let seq = 42; seq <= 60; seq++) await keep({ reason: 'schema', payload: JSON.stringify(numbered(seq)) })
    expect(await all()).toEqual({ stored: 59, duplicates: 0, failed: 1, cut: 0 })
    expect(await letters()).toMatchObject([{ reason: 'not-storable', detail: expect.stringContaining('22P02') }])
    expect((await database.query('select seqs::text from runs')).rows).toEqual([{ seqs: '{[1,61)}' }])
  })

  test('one that holds several gives back the good ones, and keeps the others as they were', async () => {
    const lines = [JSON.stringify(numbered(1)), 'bad', JSON.stringify(numbered(2)), 'worse']
    await keep({ reason: 'too-many', payload: lines.join('\n') })
    const receivedAt = (await letters())[0]?.received_at
    expect(await all()).toEqual({ stored: 2, duplicates: 0, failed: 2, cut: 0 })
    const rows = await letters()
    expect(rows.map(({ payload }) => payload.toString()).sort()).toEqual(['bad', 'worse'])
    for (const row of rows) expect(row.received_at).toEqual(receivedAt)
  })

  test('an event that is stored already is counted as such, and its letter goes', async () => {
    await running.publishEvents([numbered(1)])
    await eventually(counts, ({ deaths }) => deaths === 1)
    await keep({ reason: 'schema', payload: JSON.stringify(numbered(1)) })
    expect(await all()).toEqual({ stored: 0, duplicates: 1, failed: 0, cut: 0 })
    expect(await counts()).toEqual({ letters: 0, deaths: 1 })
  })

  test('a host that has been silent stays silent when an old event of it is stored', async () => {
    const at = new Date(Date.now() - 3_600_000).toISOString()
    const agent = { version: '0.1.0', probe: 'systemtap', runId: 'run-9', seq: 1 }
    const old = coverageEvent({ at, from: at, to: at, agent })
    await keep({ reason: 'schema', subject: 'whokilled.v1.web-3.coverage', payload: JSON.stringify(old) })
    await database.query(`update dead_letters set received_at = now() - interval '1 hour'`)
    expect(await all()).toMatchObject({ stored: 1 })
    expect((await running.get('/v1/hosts')).body).toMatchObject({ hosts: [{ name: 'web-3', state: 'silent' }] })
  })

  test('two at a time, and a collector that stores meanwhile, store each once', async () => {
    const count = 600
    for (let seq = 1; seq <= count; seq++) await keep({ reason: 'schema', payload: JSON.stringify(numbered(seq)) })
    const connection = await connect({ servers: running.nats.url })
    const stream = jetstream(connection)
    const publishing = Promise.all(
      Array.from({ length: count }, (_, index) => stream.publish(subject, JSON.stringify(numbered(index + 1)))),
    )
    const [first, second] = await Promise.all([all(), all()])
    await publishing
    await connection.close()
    expect(first.stored + first.duplicates + second.stored + second.duplicates).toBe(count)
    expect(await eventually(counts, ({ deaths }) => deaths === count)).toEqual({ letters: 0, deaths: count })
  })

  test('if Postgres dies in the middle, an event is in one of the two places', async () => {
    await using own = await startPostgres()
    await using other = await startRunning(own)
    const pool = new pg.Pool({ connectionString: other.databaseUrl, max: 2 })
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
    await eventually(() => pool.query('select from tokens'))
    for (let seq = 1; seq <= 800; seq++) await keep({ reason: 'schema', payload: JSON.stringify(numbered(seq)) }, pool)
    const retrying = (async () => {
      let after = null
      do {
        after = (await retryDeadLetters(pool, anything, { eventBytesMax: 262_144, after })).next
      } while (after !== null)
    })().catch((error: Error) => error)
    await eventually(
      async () => (await pool.query('select count(*)::int as n from deaths')).rows[0].n,
      (stored) => stored > 0,
    )
    await own.kill()
    await retrying
    await own.start()
    const sql = `select (select count(*)::int from deaths) + (select count(*)::int from dead_letters) as both`
    const { rows } = await eventually(() => pool.query(sql))
    expect(rows).toEqual([{ both: 800 }])
    await pool.end()
  })
})

describe('choosing', () => {
  test('retry and drop want to be told what; list does not', async () => {
    await keep({ payload: 'a' })
    for (const verb of ['retry', 'drop']) {
      const { code, stderr, stdout } = await program(verb)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('[nothing-chosen]')
    }
    expect((await program('list')).stdout).toContain('not-json')
    expect((await letters()).length).toBe(1)
  })

  test('by reason, host, digest and age', async () => {
    await keep({ reason: 'schema', payload: 'a' })
    await keep({ reason: 'host', payload: 'b', subject: 'whokilled.v1.db_1%2Eexample.death' })
    await keep({ reason: 'host', payload: 'c', subject: 'whokilled.v1.dbx1%2Eexample.death' })
    await keep({ reason: 'subject', payload: 'd', subject: 'whokilled.v1.odd' })
    await database.query(`update dead_letters set received_at = now() - interval '8 days' where payload = 'a'`)
    const found = async (...args: string[]) => {
      const { stdout } = await program('list', '--json', ...args)
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).reason)
    }
    expect(await found()).toEqual(['subject', 'host', 'host', 'schema'])
    expect(await found('--reason', 'host')).toEqual(['host', 'host'])
    expect(await found('--host', 'db_1.example')).toEqual(['host'])
    expect(await found('--host', 'db*')).toEqual(['host', 'host'])
    expect(await found('--host', '%')).toEqual([])
    expect(await found('--older-than', '7d')).toEqual(['schema'])
    expect(await found('--older-than', '9d')).toEqual([])
    const digest = createHash('sha256').update(`${subject}\na`).digest('hex')
    expect(await found('--digest', digest.slice(0, 8))).toEqual(['schema'])
    const { stdout } = await program('drop', '--reason', 'host', '--host', 'db_1.example')
    expect(stdout).toBe('1 dead letters dropped.\n')
    expect(await found()).toEqual(['subject', 'host', 'schema'])
    expect((await program('drop', '--all')).stdout).toBe('3 dead letters dropped.\n')
  })

  test.each([
    [['list', '--reason', 'bogus'], 'Allowed choices are subject'],
    [['list', '--digest', 'xyz'], 'Expected 4 to 64 hexadecimal digits'],
    [['drop', '--older-than', 'soon'], 'Expected a duration'],
    [['list', '--limit', '0'], 'Expected a whole number'],
  ])('%j is wrong usage', async (args, words) => {
    const run = await program(...args)
    expect(run.code).toBe(2)
    expect(run.stderr).toContain(words)
  })

  test('what a host sent cannot write on the terminal', async () => {
    await keep({ payload: '\x1b[2J\u202egnp', detail: 'got \x1b[2J\n\u202e' })
    for (const args of [['list'], ['list', '--payload']]) {
      const { stdout } = await program(...args)
      expect(stdout).toContain('\\x1b[2J')
      expect(stdout).not.toMatch(/[\x1b\u202e]/)
    }
  })
})

describe('over HTTP', () => {
  const get = async (query: string) =>
    await answered(await fetch(`${running.collector.url}/v1/dead-letters${query}`, { headers: admin }))
  const post = async (path: string, body: object) =>
    await answered(
      await fetch(`${running.collector.url}/v1/dead-letters/${path}`, {
        method: 'POST',
        headers: admin,
        body: JSON.stringify(body),
      }),
    )

  test('the list comes in pages, with bytes only if asked for', async () => {
    for (const payload of ['a', 'b', 'cccc', 'd', 'e']) await keep({ payload })
    const first = await get('?limit=2')
    expect(first.status).toBe(200)
    expect(first.body.deadLetters).toHaveLength(2)
    expect(first.body.deadLetters[0]).not.toHaveProperty('payload')
    const rest = await get(`?limit=1000&payloadBytes=2&cursor=${first.body.nextCursor}`)
    expect(rest.body.nextCursor).toBeNull()
    const shown = rest.body.deadLetters.map(({ payload = '' }) => Buffer.from(payload, 'base64').toString())
    expect(shown).toEqual(['cc', 'b', 'a'])
    expect(rest.body.deadLetters[0]).toMatchObject({ payloadBytes: 4, isCut: false, host: 'web-3', reason: 'not-json' })
    expect(await get('?limit=1000&payloadBytes=10000')).toMatchObject({
      status: 400,
      body: { code: 'invalid-parameter' },
    })
    expect(await get('?cursor=x')).toMatchObject({ status: 400 })
    expect(await get('?resaon=host')).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('did you mean reason?') },
    })
  })

  test('retry and drop do as the commands do, and want to be told what', async () => {
    await keep({ reason: 'schema', payload: JSON.stringify(numbered(1)) })
    await keep({ payload: 'x' })
    expect(await post('retry', {})).toMatchObject({ status: 400, body: { code: 'invalid-parameter' } })
    expect(await post('drop', { cursor: 'x' })).toMatchObject({ status: 400 })
    expect(await post('drop', { all: false })).toMatchObject({ status: 400 })
    expect(await post('drop', { resaon: 'host' })).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('did you mean reason?') },
    })
    expect(await counts()).toEqual({ letters: 2, deaths: 0 })
    expect(await post('retry', { all: true })).toEqual({
      status: 200,
      body: { stored: 1, duplicates: 0, failed: 1, cut: 0, nextCursor: null },
    })
    expect(await post('drop', { reason: 'not-json' })).toEqual({ status: 200, body: { dropped: 1, isComplete: true } })
    expect(await counts()).toEqual({ letters: 0, deaths: 1 })
  })

  test('a page of another origin cannot have them dropped, in whatever way it asks', async () => {
    await keep({ payload: 'x' })
    const url = `${running.collector.url}/v1/dead-letters/drop`
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      const headers = { ...admin, 'content-type': type }
      const answer = await fetch(url, { method: 'POST', headers, body: '{"all":true}' })
      expect([400, 415]).toContain(answer.status)
    }
    const foreign = { ...admin, origin: 'https://attacker.example' }
    expect((await fetch(url, { method: 'POST', headers: foreign, body: '{"all":true}' })).status).toBe(403)
    expect(await counts()).toMatchObject({ letters: 1 })
  })
})

test('ten thousand are retried and dropped in bounded batches', async () => {
  await database.query(
    `insert into dead_letters (digest, reason, detail, subject, stream_seq, payload_bytes, payload)
     select sha256(convert_to($1 || e'\\n' || n, 'UTF8')), 'not-json', '', $1, n, length(n::text), convert_to(n::text, 'UTF8')
     from generate_series(1, 10000) as n`,
    [subject],
  )
  expect(await all()).toEqual({ stored: 0, duplicates: 0, failed: 10_000, cut: 0 })
  expect((await program('drop', '--all')).stdout).toBe('10000 dead letters dropped.\n')
})

async function all() {
  const sum = { stored: 0, duplicates: 0, failed: 0, cut: 0 }
  let after = null
  do {
    const { next, ...done } = await retryDeadLetters(database, anything, { eventBytesMax: 262_144, after })
    for (const key of ['stored', 'duplicates', 'failed', 'cut'] as const) sum[key] += done[key]
    after = next
  } while (after !== null)
  return sum
}

interface Row {
  readonly reason: string
  readonly detail: string
  readonly received_at: Date
  readonly payload: Buffer
}

async function letters(): Promise<Row[]> {
  return (
    await database.query<Row>('select reason, detail, received_at, payload from dead_letters order by received_at')
  ).rows
}

async function counts() {
  const sql = `select (select count(*)::int from dead_letters) as letters, (select count(*)::int from deaths) as deaths`
  return (await database.query(sql)).rows[0] as { letters: number; deaths: number }
}

/** Puts one aside as an older collector may have. */
async function keep(
  letter: { payload: string; reason?: string; detail?: string; subject?: string; bytes?: number },
  pool: pg.Pool = database,
): Promise<void> {
  const { payload, reason = 'not-json', detail = 'old', bytes = Buffer.byteLength(payload) } = letter
  const on = letter.subject ?? subject
  const digest = createHash('sha256').update(`${on}\n${payload}`).digest()
  await pool.query(
    `insert into dead_letters (digest, received_at, reason, detail, subject, stream_seq, payload_bytes, payload)
     values ($1, clock_timestamp(), $2, $3, $4, 1, $5, $6)`,
    [digest, reason, detail, on, bytes, Buffer.from(payload)],
  )
}

interface Body extends DeadLettersPage {
  readonly [key: string]: unknown
}

async function answered(response: Response): Promise<{ status: number; body: Body }> {
  return { status: response.status, body: (await response.json()) as Body }
}
