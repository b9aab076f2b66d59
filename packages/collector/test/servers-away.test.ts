import { createServer } from 'node:net'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { streamName } from '@whokilled/shared/subjects'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deathEvent, messageOf } from '../../../test/events.ts'
import { startNats } from '../../../test/servers/nats.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { startCollector } from '../src/collector.ts'
import { consumerName } from '../src/ingest/stream.ts'
import { createLog } from '../src/log.ts'
import { eventually, type Running, startRunning, testConfig } from './running.ts'

let postgres: PostgresServer

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres[Symbol.asyncDispose]()
})

test('while Postgres is dead nothing is acknowledged, and after its return everything is stored once', async () => {
  await using running = await startRunning(postgres, { ackWaitSeconds: 1 })
  await using publisher = await openPublisher(running)
  await publisher.deaths(0, 300)
  await stored(running, 300)

  await postgres.kill()
  await publisher.deaths(300, 900)
  await problemOf(running, 'postgres', /ECONNREFUSED|terminat|connect/)
  // Longer than the time after which messages are delivered again.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(await publisher.unacknowledged()).toBe(600)
  expect(await running.get('/v1/hosts')).toMatchObject({ status: 503, body: { code: 'database-unavailable' } })
  expect((await running.get('/healthz')).status).toBe(200)

  await postgres.start()
  await publisher.deaths(900, 1_000)
  await stored(running, 1_000)
  expect(await eventually(publisher.unacknowledged, (count) => count === 0)).toBe(0)
  await eventually(
    () => running.get('/readyz'),
    ({ status }) => status === 200,
  )
})

test('a batch that takes longer than ackWaitSeconds is not given to anybody else', async () => {
  await using running = await startRunning(postgres, { ackWaitSeconds: 1 })
  await using publisher = await openPublisher(running)
  await publisher.deaths(0, 10)
  await stored(running, 10)
  const client = new pg.Client({ connectionString: running.databaseUrl })
  await client.connect()
  await client.query('begin')
  await client.query('lock table deaths in exclusive mode')
  // One is being stored, the next one waits for it: what is only fetched ahead is nobody's work yet.
  await publisher.deaths(10, 12)
  await new Promise((resolve) => setTimeout(resolve, 3_500))
  await client.query('commit')
  await client.end()
  await stored(running, 12)
  await eventually(publisher.unacknowledged, (count) => count === 0)
  const { body } = await running.get('/metrics')
  expect(body as string).toMatch(/^whokilled_messages_redelivered_total 0$/m)
})

test('after NATS has died and come back the collector goes on by itself, and nothing is lost', async () => {
  await using running = await startRunning(postgres, { ackWaitSeconds: 1 })
  {
    await using publisher = await openPublisher(running)
    await publisher.deaths(0, 500)
  }
  await running.nats.kill()
  await problemOf(running, 'nats', /disconnected/)
  await running.nats.start()
  await eventually(
    () => running.get('/readyz'),
    ({ status }) => status === 200,
  )
  await using publisher = await openPublisher(running)
  await publisher.deaths(500, 1_000)
  await stored(running, 1_000)
})

test('a stream that somebody deleted is made again, and consumed', async () => {
  await using running = await startRunning(postgres)
  await using publisher = await openPublisher(running)
  await publisher.deaths(0, 1)
  await stored(running, 1)
  await publisher.deleteStream()
  await eventually(() => publisher.deaths(1, 2))
  await stored(running, 2)
})

test('the settings of a stream that exists are left as they are', async () => {
  await using running = await startRunning(postgres)
  await using publisher = await openPublisher(running)
  await running.collector.stop()
  await publisher.limitStream(50_000_000)
  const config = testConfig(running.nats.url, running.databaseUrl)
  const other = { ...config, stream: { ...config.stream, bytesMax: 60_000_000 } }
  const second = await startCollector(other, createLog('silent'), { migrate: false })
  await eventually(
    () => fetch(`${second.url}/readyz`),
    ({ status }) => status === 200,
  )
  expect(await publisher.streamBytesMax()).toBe(50_000_000)
  await second.stop()
})

test('a collector that starts before NATS and Postgres names what is missing, and begins when they come', async () => {
  await using running = await startRunning(postgres)
  await eventually(
    () => running.get('/readyz'),
    ({ status }) => status === 200,
  )
  await running.collector.stop()
  await running.nats.stop()
  await postgres.stop()
  const late = await startCollector(testConfig(running.nats.url, running.databaseUrl), createLog('silent'), {
    migrate: false,
  })
  const missing = async () => {
    const answer = (await (await fetch(`${late.url}/readyz`)).json()) as Readyz
    return answer.dependencies.filter(({ problem }) => problem !== null).map(({ name }) => name)
  }
  expect(await missing()).toEqual(['postgres', 'schema', 'nats', 'consumer'])
  await postgres.start()
  await eventually(missing, (names) => names.join() === 'nats,consumer')
  await running.nats.start()
  await eventually(missing, (names) => names.length === 0)
  await late.stop()
})

test('a collector that is stopped finishes the batch in hand, and leaves the rest to the next', async () => {
  // Long enough that nothing is delivered again while it waits its turn on a busy machine.
  const ackWaitSeconds = 5
  await using running = await startRunning(postgres, { ackWaitSeconds })
  await using publisher = await openPublisher(running)
  await publisher.deaths(0, 3_000)
  await running.collector.stop()
  const first = await count(running)

  const second = await startCollector(
    { ...testConfig(running.nats.url, running.databaseUrl), ackWaitSeconds },
    createLog('silent'),
    { migrate: false },
  )
  await stored(running, 3_000)
  // What the first one stored it had acknowledged too.
  const metrics = await (await fetch(`${second.url}/metrics`)).text()
  expect(metrics).toMatch(/^whokilled_events_duplicate_total 0$/m)
  expect(metrics).toContain(`whokilled_events_stored_total{type="death"} ${3_000 - first}`)
  await second.stop()
})

test('a collector can be stopped while both NATS and Postgres are dead', async () => {
  await using running = await startRunning(postgres)
  await using publisher = await openPublisher(running)
  await publisher.deaths(0, 10)
  await stored(running, 10)
  await postgres.kill()
  await running.nats.kill()
  await problemOf(running, 'nats', /disconnected/)
  const beganMs = Date.now()
  await running.collector.stop()
  await postgres.start()
  expect(Date.now() - beganMs).toBeLessThan(15_000)
})

test('a collector takes name and password from the URL of NATS; with the wrong one it waits, and says why', async () => {
  await using nats = await startNats(['--user', 'collector', '--pass', 'p@ss'])
  const databaseUrl = await postgres.createDatabase()
  const start = (password: string, log = createLog('silent')) => {
    const url = nats.url.replace('//', `//collector:${password}@`)
    return startCollector(testConfig(url, databaseUrl), log, { migrate: true })
  }
  const right = await start('p%40ss')
  await eventually(
    () => fetch(`${right.url}/readyz`),
    ({ status }) => status === 200,
  )
  await right.stop()

  const lines: string[] = []
  const wrong = await start('wrong', createLog('warn', { write: (line) => void lines.push(line) }))
  await eventually(
    () => lines.length,
    (count) => count > 1,
  )
  expect((await fetch(`${wrong.url}/readyz`)).status).toBe(503)
  expect(lines[0]).toMatch(/Authorization Violation/i)
  expect(lines.join()).not.toContain('wrong')
  await wrong.stop()
})

test('a port that is in use is an error with the port, a code and what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const config = { ...testConfig('nats://127.0.0.1:1', 'postgres://127.0.0.1:1/x'), httpPort: port }
  await expect(startCollector(config, createLog('silent'), { migrate: false })).rejects.toMatchObject({
    code: 'port-in-use',
    message: expect.stringContaining(`port ${port}`),
    hint: expect.stringContaining('WHOKILLED_HTTP_PORT'),
  })
  other.close()
})

interface Readyz {
  readonly dependencies: { readonly name: string; readonly problem: string | null }[]
}

async function problemOf(running: Running, name: string, words: RegExp): Promise<void> {
  const problem = async () => {
    const { body } = await running.get('/readyz')
    return (body as Readyz).dependencies.find((each) => each.name === name)?.problem ?? ''
  }
  expect(await eventually(problem, (text) => text !== '')).toMatch(words)
}

/** All of these deaths, each once, and no hole in their numbers. */
async function stored(running: Running, expected: number): Promise<void> {
  expect(
    await eventually(
      () => count(running),
      (found) => found >= expected,
    ),
  ).toBe(expected)
  const { rows } = await ask(running, 'select seqs::text from runs')
  expect(rows).toEqual([{ seqs: `{[1,${expected + 1})}` }])
}

async function count(running: Running): Promise<number> {
  return (await ask(running, 'select count(*)::int as count from deaths')).rows[0].count
}

async function ask(running: Running, sql: string) {
  const client = new pg.Client({ connectionString: running.databaseUrl })
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

async function openPublisher(running: Running) {
  const connection: NatsConnection = await connect({ servers: running.nats.url })
  const stream = jetstream(connection)
  const manager = await jetstreamManager(connection)
  await eventually(() => manager.consumers.info(streamName, consumerName))
  return {
    /** Publishes the deaths numbered from `first` on, before `end`; each is a message. */
    async deaths(first: number, end: number) {
      for (let index = first; index < end; index += 100) {
        const numbers = Array.from({ length: Math.min(100, end - index) }, (_, offset) => index + offset)
        await Promise.all(numbers.map((number) => publish(number)))
      }
    },
    async unacknowledged() {
      const { num_pending, num_ack_pending } = await manager.consumers.info(streamName, consumerName)
      return num_pending + num_ack_pending
    },
    deleteStream: () => manager.streams.delete(streamName),
    limitStream: (bytesMax: number) => manager.streams.update(streamName, { max_bytes: bytesMax }),
    streamBytesMax: async () => (await manager.streams.info(streamName)).config.max_bytes,
    [Symbol.asyncDispose]: () => connection.close(),
  }

  function publish(number: number) {
    const agent = { version: '0.1.0', probe: 'replay', runId: 'run', seq: number + 1 }
    const { subject, body, id } = messageOf([deathEvent({ agent })])
    return stream.publish(subject, body, { msgID: id })
  }
}
