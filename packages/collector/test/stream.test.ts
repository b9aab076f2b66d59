import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { eventSubject, streamName } from '@whokilled/shared/subjects'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deathEvent, messageOf } from '../../../test/events.ts'
import { startNats, startNatsCluster } from '../../../test/servers/nats.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { startCollector } from '../src/collector.ts'
import type { Config } from '../src/config.ts'
import { consumerName } from '../src/ingest/stream.ts'
import { setUpStream } from '../src/ingest/stream-setup.ts'
import { createLog } from '../src/log.ts'
import { runProgram } from './run-program.ts'
import { eventually, startRunning, testConfig } from './running.ts'

let postgres: PostgresServer
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres[Symbol.asyncDispose]())

/** Opens what an administrator has, as nothing is guarded here. */
async function openAdmin(url: string) {
  const connection = await connect({ servers: url.split(',') })
  const manager = await jetstreamManager(connection)
  return {
    manager,
    stream: jetstream(connection),
    config: async () => (await manager.streams.info(streamName)).config,
    [Symbol.asyncDispose]: () => connection.close(),
  }
}

async function consumerProblem(url: string): Promise<string | null> {
  const { dependencies } = (await (await fetch(`${url}/readyz`)).json()) as {
    dependencies: { name: string; problem: string | null }[]
  }
  return dependencies.find(({ name }) => name === 'consumer')?.problem ?? null
}

test('each setting of stream and consumer reaches NATS', async () => {
  await using nats = await startNats()
  const limits = { ageMaxHours: 2, bytesMax: 70_000_000, duplicateWindowSeconds: 33, subjectMessagesMax: 444 }
  const stream = { ...limits, replicas: 1 }
  await setUpStream(
    { ...testConfig(nats.url, 'postgres://none/'), stream, ackWaitSeconds: 11, ackPendingMax: 77 },
    { change: false },
  )
  await using admin = await openAdmin(nats.url)
  expect(await admin.config()).toMatchObject({
    max_age: 2 * 3_600 * 1e9,
    max_bytes: 70_000_000,
    duplicate_window: 33 * 1e9,
    max_msgs_per_subject: 444,
    num_replicas: 1,
  })
  const { config } = await admin.manager.consumers.info(streamName, consumerName)
  expect(config).toMatchObject({ ack_wait: 11 * 1e9, max_ack_pending: 77, max_deliver: -1, ack_policy: 'explicit' })
})

describe('a collector without --migrate', () => {
  test('makes no stream: /readyz names the command that does, and then it consumes', async () => {
    await using nats = await startNats()
    const databaseUrl = await postgres.createDatabase()
    const environment = { WHOKILLED_NATS_URL: nats.url, WHOKILLED_POSTGRES_URL: databaseUrl }
    expect((await runProgram(['migrate', '--only', 'postgres'], environment)).code).toBe(0)
    const log: string[] = []
    const collector = await startCollector(
      testConfig(nats.url, databaseUrl),
      createLog('warn', { write: (line) => void log.push(line) }),
      { migrate: false },
    )
    const problem = () => consumerProblem(collector.url)
    expect(await eventually(problem, (text) => text?.includes('stream') === true)).toContain(
      'whokilled-collector migrate',
    )
    expect(log.join('')).toContain('stream-missing')
    await using admin = await openAdmin(nats.url)
    expect(await admin.manager.streams.names().next()).toEqual([])

    expect(await runProgram(['migrate', '--only', 'nats'], environment)).toMatchObject({
      code: 0,
      stdout: 'Made in NATS: stream WHOKILLED, consumer collector\n',
    })
    await eventually(problem, (text) => text === null)
    const { subject, body } = messageOf([deathEvent()])
    await admin.stream.publish(subject, body)
    const unread = async () => (await admin.manager.consumers.info(streamName, consumerName)).ack_floor.stream_seq
    expect(await eventually(unread, (seq) => seq === 1)).toBe(1)
    await collector.stop()
  })

  test('notices that NATS has lost its data, and says what to do', async () => {
    await using running = await startRunning(postgres)
    await using admin = await openAdmin(running.nats.url)
    await eventually(admin.config)
    await running.collector.stop()
    const collector = await startCollector(testConfig(running.nats.url, running.databaseUrl), createLog('silent'), {
      migrate: false,
    })
    const problem = () => consumerProblem(collector.url)
    await eventually(problem, (text) => text === null)
    await running.nats.kill()
    await rm(join(running.nats.folder, 'jetstream'), { recursive: true })
    await running.nats.start()
    expect(await eventually(problem, (text) => text !== null && text !== 'not consuming')).toContain('migrate')
    await collector.stop()
  })
})

describe('migrate', () => {
  const settings = (config: Config, stream: Partial<Config['stream']>): Config => ({
    ...config,
    stream: { ...config.stream, ...stream },
  })

  test('leaves a stream of other settings as it is and says so, and changes it if told', async () => {
    await using nats = await startNats()
    const config = testConfig(nats.url, 'postgres://127.0.0.1/none')
    await using admin = await openAdmin(nats.url)
    await setUpStream(settings(config, { bytesMax: 50_000_000 }), { change: false })
    const other = { ...settings(config, { bytesMax: 60_000_000, subjectMessagesMax: 300 }), ackWaitSeconds: 7 }
    const differences = [
      'stream WHOKILLED: stream.bytesMax was 50000000, wanted 60000000',
      'stream WHOKILLED: stream.subjectMessagesMax was 25000, wanted 300',
      'consumer collector: ackWaitSeconds (in nanoseconds) was 30000000000, wanted 7000000000',
    ]
    expect(await setUpStream(other, { change: false })).toEqual({ made: [], differences, isChanged: false })
    expect(await admin.config()).toMatchObject({ max_bytes: 50_000_000, max_msgs_per_subject: 25_000 })
    expect(await setUpStream(other, { change: true })).toEqual({ made: [], differences, isChanged: true })
    expect(await admin.config()).toMatchObject({ max_bytes: 60_000_000, max_msgs_per_subject: 300 })
    expect(await setUpStream(other, { change: true })).toEqual({ made: [], differences: [], isChanged: true })
  })

  test('guards a stream that an older version made, and keeps what is in it', async () => {
    await using nats = await startNats()
    await using admin = await openAdmin(nats.url)
    await admin.manager.streams.add({ name: streamName, subjects: ['whokilled.v1.>'] })
    await admin.stream.publish('whokilled.v1.web-3.death', '{}')
    const config = testConfig(nats.url, 'postgres://127.0.0.1/none')
    const { differences } = await setUpStream(config, { change: true })
    expect(differences).toContain('stream WHOKILLED: the refusal to purge was false, wanted true')
    expect(await admin.config()).toMatchObject({ deny_purge: true, deny_delete: true })
    expect((await admin.manager.streams.info(streamName)).state.messages).toBe(1)
  })

  test('says what NATS has against the settings', async () => {
    await using nats = await startNats()
    const config = settings(testConfig(nats.url, 'postgres://127.0.0.1/none'), { replicas: 3 })
    await expect(setUpStream(config, { change: false })).rejects.toMatchObject({
      code: 'stream-settings',
      message: expect.stringContaining('replicas'),
    })
  })

  test('exits with 3 if NATS cannot be reached', async () => {
    const environment = { WHOKILLED_NATS_URL: 'nats://127.0.0.1:1', WHOKILLED_POSTGRES_URL: 'postgres://127.0.0.1/x' }
    expect(await runProgram(['migrate', '--only', 'nats'], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('[nats-unreachable]'),
    })
  })
})

test('a host that floods the stream pushes out its own oldest messages, and no other host’s', async () => {
  await using nats = await startNats()
  const config = testConfig(nats.url, 'postgres://127.0.0.1/none')
  await setUpStream({ ...config, stream: { ...config.stream, subjectMessagesMax: 200 } }, { change: false })
  await using admin = await openAdmin(nats.url)
  for (const host of ['web-3', 'web-4']) {
    for (let round = 0; round < 20; round++) await admin.stream.publish(eventSubject(host, 'death'), '{}')
  }
  const flood = Array.from({ length: 2_000 }, () => admin.stream.publish(eventSubject('noisy', 'signal'), '{}'))
  await Promise.all(flood)
  const { state } = await admin.manager.streams.info(streamName, { subjects_filter: '>' })
  expect(state.subjects).toEqual({
    [eventSubject('web-3', 'death')]: 20,
    [eventSubject('web-4', 'death')]: 20,
    [eventSubject('noisy', 'signal')]: 200,
  })
})

test.each([1, 3])('on a cluster of three servers a stream of %i replicas is made and consumed', async (replicas) => {
  await using cluster = await startNatsCluster(3)
  const databaseUrl = await postgres.createDatabase()
  const base = testConfig(cluster.url, databaseUrl)
  const config = { ...base, stream: { ...base.stream, replicas } }
  // The servers agree on a leader first.
  await eventually(() => setUpStream(config, { change: false }))
  const collector = await startCollector(config, createLog('silent'), { migrate: true })
  await eventually(
    () => fetch(`${collector.url}/readyz`),
    ({ status }) => status === 200,
  )
  await using admin = await openAdmin(cluster.url)
  const { config: made, cluster: placed } = await admin.manager.streams.info(streamName)
  expect([made.num_replicas, 1 + (placed?.replicas?.length ?? 0)]).toEqual([replicas, replicas])
  const { subject, body, id } = messageOf([deathEvent()])
  await admin.stream.publish(subject, body, { msgID: id })
  const stored = async () => (await (await fetch(`${collector.url}/v1/deaths`)).json()) as { deaths: unknown[] }
  expect((await eventually(stored, ({ deaths }) => deaths.length > 0)).deaths).toHaveLength(1)
  await collector.stop()
})
