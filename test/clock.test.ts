import { connect } from '@nats-io/transport-node'
import { ClockOffset, type Clocks, readClocks } from '@whokilled/shared/clock-offset'
import { clockSubject } from '@whokilled/shared/subjects'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ClockRequests } from '../packages/agent/src/wire/clock-requests.ts'
import { Connection } from '../packages/agent/src/wire/connection.ts'
import { eventually, type Running, startRunning } from '../packages/collector/test/running.ts'
import { deathEvent } from './events.ts'
import { type PostgresServer, startPostgres } from './servers/postgres.ts'

/** Agents ask a real collector for the time, over a real NATS; the fleet's clock is a real Postgres'. */

let postgres: PostgresServer
let running: Running
beforeAll(async () => {
  postgres = await startPostgres()
  running = await startRunning(postgres)
  await eventually(
    () => running.get('/readyz'),
    ({ status }) => status === 200,
  )
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
})

/** A host whose clock is behind by so much, asking until the end of its block. */
function asking(url: string, behindMs: number, hostName = 'web-3.example') {
  const stopping = new AbortController()
  const connection = new Connection({ url, hostName })
  const offset = new ClockOffset()
  const clocks = { behindMs, read: (): Clocks => ({ ...readClocks(), wallMs: Date.now() - clocks.behindMs }) }
  const requests = new ClockRequests({ connection, hostName, offset, lookMs: 20, clocks: clocks.read })
  const run = requests.run(stopping.signal)
  const stop = async () => {
    stopping.abort()
    await connection.close()
    await run
  }
  return { connection, requests, clocks, reading: () => offset.at(clocks.read()), [Symbol.asyncDispose]: stop }
}

test.each([0, 5_000, -86_400_000])(
  'a host that is %i ms behind learns it, to within the uncertainty',
  async (behindMs) => {
    await using host = asking(running.nats.url, behindMs)
    expect(host.reading()).toBeNull()
    await host.connection.open()
    const reading = await eventually(host.reading, (value) => value !== null)
    // All of it is one machine with one clock.
    expect(Math.abs((reading?.offsetMs ?? Number.NaN) - behindMs)).toBeLessThanOrEqual(reading?.uncertaintyMs ?? 0)
    expect(host.requests.counters.failed).toBe(0)
  },
)

test('a host whose clock is set asks again at once', async () => {
  await using host = asking(running.nats.url, 0)
  await host.connection.open()
  await eventually(host.reading, (value) => value !== null)
  host.clocks.behindMs = 3_600_000
  expect(host.reading()).toBeNull()
  const reading = await eventually(host.reading, (value) => value !== null)
  expect(Math.round((reading?.offsetMs ?? 0) / 1_000)).toBe(3_600)
  expect(host.requests.counters).toEqual({ answered: 2, failed: 0 })
})

test('where nobody answers, or not with the time, the clock stays unknown, and that is counted', async () => {
  await using host = asking(running.nats.url, 0, 'nobody')
  const liar = await connect({ servers: running.nats.url })
  liar.subscribe(clockSubject('nobody'), { callback: (_, message) => void message.respond('{"atMs":"noon"}') })
  await liar.flush()
  await running.collector.stop()
  await host.connection.open()
  await eventually(
    () => host.requests.counters.failed,
    (failed) => failed > 0,
  )
  expect(host.reading()).toBeNull()
  await liar.close()
})

test('the clock of an event is stored beside it', async () => {
  await using other = await startRunning(postgres)
  await other.publishEvents([deathEvent({ clock: { offsetMs: -12.5, uncertaintyMs: 3 } })])
  const database = new pg.Client({ connectionString: other.databaseUrl })
  await database.connect()
  const stored = () => database.query('select clock_offset_ms, clock_uncertainty_ms from deaths')
  const { rows } = await eventually(stored, ({ rowCount }) => rowCount === 1)
  await database.end()
  expect(rows).toEqual([{ clock_offset_ms: -12.5, clock_uncertainty_ms: 3 }])
})
