import { connect } from '@nats-io/transport-node'
import { eventSubject } from '@whokilled/shared/subjects'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coverageEvent, deathEvent, happenedAt, signalEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { eventually, type Running, startRunning } from './running.ts'

let postgres: PostgresServer
let running: Running
let database: pg.Pool

beforeAll(async () => {
  postgres = await startPostgres()
  running = await startRunning(postgres, { eventBytesMax: 30_000 })
  database = new pg.Pool({ connectionString: running.databaseUrl })
})
afterAll(async () => {
  await database.end()
  await running[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
})

const deathSubject = eventSubject('web-3', 'death')

test.each([
  ['is not JSON', 'not-json', deathSubject, '{"v":1,'],
  ['is no object', 'not-json', deathSubject, '[1,2]'],
  ['is of a version of next year', 'version', deathSubject, json({ v: 2, next: 'year' })],
  ['has no version', 'version', deathSubject, json({ hello: 'world' })],
  ['lacks a field', 'schema', deathSubject, json({ ...deathEvent(), victim: undefined })],
  ['has a number where a text should be', 'schema', deathSubject, json(deathEvent({ cause: 7 as never }))],
  ['is from another host than its subject', 'host', eventSubject('web-4', 'death'), json(deathEvent())],
  ['is of another type than its subject', 'type', deathSubject, json(coverageEvent())],
  ['is on a subject that names no host', 'subject', 'whokilled.v1.death', json(deathEvent())],
  [
    'is nested too deeply to be answered',
    'schema',
    deathSubject,
    json(deathEvent()).replace('{', `{"deep":${'['.repeat(9_000)}${']'.repeat(9_000)},`),
  ],
  ['is larger than the limit', 'too-large', deathSubject, json(deathEvent({ padding: 'x'.repeat(30_000) }))],
  ['has an id of another time', 'id', deathSubject, json({ ...deathEvent(), at: '2026-11-22T19:40:43.123456Z' })],
  ['has a NUL in a text', 'not-storable', deathSubject, json(deathEvent({ note: 'a\0b' }))],
  [
    'has a NUL where a name should be',
    'not-storable',
    deathSubject,
    json(deathEvent({ service: { name: 'a\0b', kind: 'systemd' } })),
  ],
  ['has half a surrogate pair', 'not-storable', deathSubject, json(deathEvent({ note: '\ud800' }))],
  [
    'has a number that no column holds',
    'not-storable',
    deathSubject,
    json(deathEvent({ exit: { code: null, signal: { number: 99_999, name: 'SIG' }, coreDumped: false } })),
  ],
  [
    'has an integer that Postgres alone finds to be none',
    'not-storable',
    deathSubject,
    json(deathEvent()).replace('"seq":1', '"seq":1.0'),
  ],
  [
    'has a name too long for an index',
    'not-storable',
    deathSubject,
    json(deathEvent({ service: { name: randomText(15_000), kind: 'systemd' } })),
  ],
])(
  'an event that %s goes to the dead letters with its reason, and its neighbours are stored',
  async (title, reason, subject, line) => {
    const before = deathEvent({ service: { name: `before ${title}`, kind: 'process' } })
    const after = deathEvent({ service: { name: `after ${title}`, kind: 'process' } })
    // In the same message where the subject allows it, and in the same batch otherwise.
    if (subject === deathSubject) {
      await running.publish(subject, [json(before), line, json(after)].join('\n'))
    } else {
      await Promise.all([
        running.publishEvents([before]),
        running.publish(subject, line),
        running.publishEvents([after]),
      ])
    }
    const stored = () =>
      database.query('select 1 from deaths where service_name = any ($1)', [[before.service.name, after.service.name]])
    await eventually(stored, ({ rowCount }) => rowCount === 2)
    const letter = () =>
      database.query('select reason, detail, subject from dead_letters where payload = $1 and subject = $2', [
        Buffer.from(line),
        subject,
      ])
    const { rows } = await eventually(letter, ({ rowCount }) => rowCount === 1)
    expect(rows).toEqual([{ reason, subject, detail: expect.stringMatching(/expected|refused/i) }])
  },
)

test('bytes that are not UTF-8 are kept as they came', async () => {
  const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x7d])
  await publishBytes(bytes)
  const letter = () => database.query('select payload from dead_letters where reason = $1', ['not-utf8'])
  const { rows } = await eventually(letter, ({ rowCount }) => rowCount === 1)
  expect(rows[0].payload).toEqual(bytes)
})

test('an event that is delivered twice is stored once, and counted as a duplicate', async () => {
  const twice = deathEvent({ service: { name: 'twice.service', kind: 'systemd' } })
  // Without a message id NATS takes both.
  await running.publish(deathSubject, `${json(twice)}\n${json(twice)}`)
  await running.publish(deathSubject, json(twice))
  const duplicates = async () => metric('whokilled_events_duplicate_total')
  await eventually(duplicates, (count) => count === 2)
  const { rows } = await database.query('select count(*)::int from deaths where service_name = $1', ['twice.service'])
  expect(rows).toEqual([{ count: 1 }])
})

test('signal events and coverage events are stored with their columns', async () => {
  await running.publishEvents([signalEvent()])
  await running.publishEvents([coverageEvent({ state: 'gap', reason: 'a test', lostRecords: 3 })])
  const signals = () => database.query('select service_name, number, via, result, sender_comm from signals')
  const { rows } = await eventually(signals, ({ rowCount }) => rowCount === 1)
  expect(rows).toEqual([
    { service_name: 'nginx.service', number: 1, via: 'kill', result: 'delivered', sender_comm: 'sh' },
  ])
  const coverage = () => database.query('select state, reason, lost_records from coverage')
  const covered = await eventually(coverage, ({ rowCount }) => rowCount === 1)
  expect(covered.rows).toEqual([{ state: 'gap', reason: 'a test', lost_records: '3' }])
})

test('an event of a week for which there is no partition is stored all the same', async () => {
  await running.publishEvents([
    deathEvent({ at: '2031-01-01T00:00:00.000000Z', service: { name: 'future', kind: 'process' } }),
  ])
  const stored = () =>
    database.query(`select tableoid::regclass::text as table from deaths where service_name = 'future'`)
  const { rows } = await eventually(stored, ({ rowCount }) => rowCount === 1)
  expect(rows).toEqual([{ table: 'deaths_default' }])
})

test('an event far in the future does not keep the row of its host from changing', async () => {
  const host = { id: 'clock-ahead', name: 'clock-ahead', bootId: 'boot' }
  const now = new Date().toISOString()
  const watching = (at: string) => coverageEvent({ host, at, state: 'watching', from: at, to: at })
  await running.publishEvents([watching('2100-01-01T00:00:00.000000Z')])
  const row = () => database.query('select last_seen_at, state_at, complete_until from hosts where id = $1', [host.id])
  await eventually(row, ({ rowCount }) => rowCount === 1)
  await running.publishEvents([watching(now)])
  const { rows } = await eventually(row, (found) => found.rows[0]?.last_seen_at < new Date('2099-01-01'))
  expect(rows[0]).toMatchObject({ last_seen_at: new Date(now), state_at: new Date(now) })
  expect(rows[0].complete_until < new Date('2099-01-01')).toBe(true)
})

test('a number that an agent used and that never came is counted as a lost event, whatever the order', async () => {
  const agent = (seq: number) => ({ version: '0.1.0', probe: 'systemtap', runId: 'with-a-hole', seq })
  const numbered = (seq: number) => deathEvent({ agent: agent(seq), service: { name: 'numbered', kind: 'process' } })
  for (const seq of [5, 1, 2, 5]) await running.publish(deathSubject, json(numbered(seq)))
  // A dead letter has come, so its number is no hole.
  await running.publish(deathSubject, json({ ...numbered(4), victim: null }))
  const missing = () =>
    database.query(`select seqs::text, missing_count(seqs)::int as missing, incomplete_since is not null as waiting
      from runs where run_id = 'with-a-hole'`)
  const holed = await eventually(missing, ({ rows }) => rows[0]?.seqs === '{[1,3),[4,6)}')
  expect(holed.rows).toEqual([{ seqs: '{[1,3),[4,6)}', missing: 1, waiting: true }])

  await running.publish(deathSubject, json(numbered(3)))
  const { rows } = await eventually(missing, ({ rows }) => rows[0]?.missing === 0)
  expect(rows).toEqual([{ seqs: '{[1,6)}', missing: 0, waiting: false }])
})

test('/metrics tells what was consumed, stored and put aside', async () => {
  expect(await metric('whokilled_messages_consumed_total')).toBeGreaterThan(10)
  expect(await metric('whokilled_events_stored_total{type="death"}')).toBeGreaterThan(10)
  expect(await metric('whokilled_dead_letters_total{reason="host"}')).toBe(1)
  expect(await metric('whokilled_lag_messages')).toBe(0)
})

async function metric(name: string): Promise<number> {
  const { body } = await running.get('/metrics')
  const line = (body as string).split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.split(' ')[1])
}

async function publishBytes(bytes: Uint8Array): Promise<void> {
  const connection = await connect({ servers: running.nats.url })
  connection.publish(deathSubject, bytes)
  await connection.drain()
}

function json(value: object): string {
  return JSON.stringify(value)
}

/** Does not compress, so that an index row cannot hold it. */
function randomText(length: number): string {
  let state = Date.parse(happenedAt) % 2_147_483_647
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647
    return String.fromCharCode(0x21 + (state % 94))
  }).join('')
}
