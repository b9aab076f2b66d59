/**
 * How many events a second one collector takes from the stream into Postgres, beside two floors measured in the same
 * run on the same Postgres: the collector's own insert statement without NATS and validation, and the least that can be
 * done, an insert into a table with one column and no index.
 *
 *     node --conditions=source --import tsx bench/ingest.ts [events] [events in a message]
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { DeathEvent } from '@whokilled/shared/event'
import { streamName } from '@whokilled/shared/subjects'
import pg from 'pg'
import { startCollector } from '../packages/collector/src/collector.ts'
import { loadConfig } from '../packages/collector/src/config.ts'
import { consumerName } from '../packages/collector/src/ingest/stream.ts'
import { createLog } from '../packages/collector/src/log.ts'
import { deathsInsert } from '../packages/collector/src/store/insert-deaths.ts'
import { deathEvent, messageOf } from '../test/events.ts'
import { startNats } from '../test/servers/nats.ts'
import { startPostgres } from '../test/servers/postgres.ts'

const eventCount = Number(process.argv[2] ?? 20_000)
const eventsInMessage = Number(process.argv[3] ?? 1)
const batchEvents = 200
const window = 256

await using postgres = await startPostgres()
await using nats = await startNats()
const databaseUrl = await postgres.createDatabase()
const config = {
  ...loadConfig(undefined, {
    WHOKILLED_NATS_URL: nats.url,
    WHOKILLED_POSTGRES_URL: databaseUrl,
    WHOKILLED_HTTP_PORT: '0',
  }),
  httpRequestsPerMinuteMax: 1_000_000,
}
const log = createLog('warn')

// Make the tables, the stream and the consumer; then fill the stream while nobody consumes.
const first = await startCollector(config, log, { migrate: true })
const connection = await connect({ servers: nats.url })
const manager = await jetstreamManager(connection)
await until(async () => (await fetch(`${first.url}/readyz`)).status === 200)
await first.stop()

const events = Array.from({ length: eventCount }, (_, index) => eventNumber(index))
const bytes = JSON.stringify(events[0]).length
const publishSeconds = await secondsOf(publish)

const database = new pg.Pool({ connectionString: databaseUrl, max: 1, options: '-c timezone=UTC' })
const second = await startCollector(config, log, { migrate: false })
const residentMax = watchResident()
const ingestSeconds = await secondsOf(() =>
  until(
    async () =>
      (await manager.consumers.info(streamName, consumerName)).ack_floor.stream_seq === eventCount / eventsInMessage,
  ),
)
await second.stop()
const { rows } = await database.query('select count(*)::int as count from deaths')
if (rows[0].count !== eventCount) throw new Error(`expected ${eventCount} deaths, found ${rows[0].count}`)

await database.query('truncate deaths')
const insertSeconds = await secondsOf(insertAlone)
const leastSeconds = await secondsOf(insertOneColumn)
await database.end()
await connection.close()

const rate = (seconds: number) => Math.round(eventCount / seconds)
console.log(`${eventCount} death events of ${bytes} bytes, ${eventsInMessage} in a message, full durability (fsync on)`)
console.log(`publish                         ${rate(publishSeconds)} events/s`)
console.log(`ingest (the collector)          ${rate(ingestSeconds)} events/s`)
console.log(
  `floor: same statement alone     ${rate(insertSeconds)} events/s, the collector reaches ${ratio(insertSeconds)}`,
)
console.log(
  `floor: one column, no index     ${rate(leastSeconds)} events/s, the collector reaches ${ratio(leastSeconds)}`,
)
console.log(`resident memory of this process (collector, publisher, the events), at most ${residentMax()} MB`)

function ratio(floorSeconds: number): string {
  return `${Math.round((100 * floorSeconds) / ingestSeconds)} %`
}

function eventNumber(index: number): DeathEvent {
  const at = `${new Date(Date.now() - (eventCount - index) * 3).toISOString().slice(0, -1)}000Z`
  const host = { id: `host-${index % 100}`, name: 'web-3', bootId: 'boot' }
  const agent = { version: '0.1.0', probe: 'replay', runId: `run-${index % 100}`, seq: Math.floor(index / 100) + 1 }
  return deathEvent({ at, host, agent, service: { name: `service-${index % 1_000}.service`, kind: 'systemd' } })
}

async function publish(): Promise<void> {
  const stream = jetstream(connection)
  for (let start = 0; start < events.length; start += window * eventsInMessage) {
    const pending = []
    for (
      let index = start;
      index < Math.min(events.length, start + window * eventsInMessage);
      index += eventsInMessage
    ) {
      const { subject, body, id } = messageOf(events.slice(index, index + eventsInMessage) as [DeathEvent])
      pending.push(stream.publish(subject, body, { msgID: id }))
    }
    await Promise.all(pending)
  }
}

async function insertAlone(): Promise<void> {
  const client = await database.connect()
  for (const json of arrays()) {
    await client.query('begin')
    await client.query(deathsInsert, [json])
    await client.query('commit')
  }
  client.release()
}

async function insertOneColumn(): Promise<void> {
  await database.query('create table floor (event jsonb)')
  for (const json of arrays())
    await database.query('insert into floor select * from jsonb_array_elements($1::jsonb)', [json])
}

function* arrays(): Generator<string> {
  for (let start = 0; start < events.length; start += batchEvents)
    yield JSON.stringify(events.slice(start, start + batchEvents))
}

function watchResident(): () => number {
  let most = 0
  const look = () => {
    most = Math.max(most, process.memoryUsage().rss)
  }
  look()
  const timer = setInterval(look, 50)
  timer.unref()
  return () => Math.round(most / 1e6)
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1_000
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 10))
}
