/**
 * Events a second from the agents' spools into Postgres: simulated hosts (the agent's real spool and publisher, in a
 * process of their own), one nats-server with file storage, two collectors, one Postgres; everything on this machine,
 * with full durability. Beside it, in the same run:
 *
 * - publishing alone, as the agents do it, and with one event in a message;
 * - rsyslog (TCP in, ompgsql out) with the same rows into a table with the same indexes of the same Postgres. It neither
 *   recognises what came twice nor acknowledges after the commit, and has no server in between.
 *
 *     npm run bench -- end-to-end [events] [hosts]
 */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { eventSubject, messageId } from '@whokilled/shared/subjects'
import pg from 'pg'
import { addStream } from '../../test/servers/jetstream.ts'
import { startNats } from '../../test/servers/nats.ts'
import { startPostgres } from '../../test/servers/postgres.ts'
import { ended, kept } from '../children.ts'
import { eventOf, hostNameOf } from './events.ts'
import type { HostsTask } from './hosts.ts'
import { makeTableLikeSignals, requireRsyslog, startRsyslog } from './rsyslog.ts'

const eventCount = Number(process.argv[2] ?? 100_000)
const hosts = Number(process.argv[3] ?? 20)
const eventsEach = Math.floor(eventCount / hosts)
const total = eventsEach * hosts
const collectorCount = 2

/** What Postgres is allowed beyond its defaults, as for any server that writes much. */
const postgresSettings = { shared_buffers: '256MB', max_wal_size: '4GB' }

requireRsyslog()
const folder = await mkdtemp(join(tmpdir(), 'whokilled-end-to-end-'))
await using postgres = await startPostgres(postgresSettings)
await using nats = await startNats()
const databaseUrl = await postgres.createDatabase()
const environment = { ...process.env, WHOKILLED_NATS_URL: nats.url, WHOKILLED_POSTGRES_URL: databaseUrl }
const database = new pg.Client({ connectionString: databaseUrl })
database.on('error', () => {})
try {
  await collectorRun(['migrate'])
  await database.connect()

  progress('publishing, one event in a message')
  const single = await publishSingly()

  progress('publishing from the spools')
  const alone = await startHosts('alone')
  const aloneSeconds = await secondsOf(alone.publish)
  progress('storing')
  const collectors = Array.from({ length: collectorCount }, () => startCollector())
  await Promise.all(collectors.map((collector) => collector.ready))
  const storingSeconds = await secondsOf(() => stored('signals'))
  await database.query('truncate signals, runs, hosts')

  progress('publishing and storing')
  const both = await startHosts('both')
  const wholeSeconds = await secondsOf(async () => {
    await Promise.all([both.publish(), stored('signals')])
  })
  await Promise.all(collectors.map((collector) => collector.stop()))

  progress('rsyslog')
  await makeTableLikeSignals(database, 'signals_by_rsyslog')
  const rsyslogSeconds = await byRsyslog()

  const rate = (seconds: number) => Math.round(total / seconds)
  const ratio = (seconds: number) => (seconds / wholeSeconds).toFixed(2)
  const bytes = Buffer.byteLength(JSON.stringify(eventOf(0, 0, Date.now())))
  console.log(`${total} signal events of ${bytes} bytes from ${hosts} hosts; ${collectorCount} collectors`)
  console.log(
    `end to end                          ${rate(wholeSeconds)} events/s, ${(total / both.messages()).toFixed(1)} in a message`,
  )
  console.log(
    `publishing alone                    ${rate(aloneSeconds)} events/s; end to end is ${ratio(aloneSeconds)} of it`,
  )
  console.log(
    `storing alone                       ${rate(storingSeconds)} events/s; end to end is ${ratio(storingSeconds)} of it`,
  )
  console.log(`publishing alone, one in a message  ${rate(single)} events/s; end to end is ${ratio(single)} of it`)
  console.log(
    `rsyslog                             ${rate(rsyslogSeconds)} events/s; end to end is ${ratio(rsyslogSeconds)} of it`,
  )
} finally {
  await database.end()
  await rm(folder, { recursive: true, force: true })
}

function progress(what: string): void {
  process.stderr.write(`${what} …\n`)
}

/** One process with all hosts, whose spools are full. */
async function startHosts(name: string) {
  const task: HostsTask = { folder: join(folder, name), natsUrl: nats.url, hosts, eventsEach }
  const child = kept(fork(path('./hosts.ts'), [JSON.stringify(task)], { execArgv: process.execArgv }))
  await once(child, 'message')
  let messages = 0
  return {
    messages: () => messages,
    async publish() {
      child.send('publish')
      const [said] = (await once(child, 'message')) as [{ messages: number }]
      messages = said.messages
      await ended(child)
    },
  }
}

/** To a server of its own, so that nothing of it is stored. */
async function publishSingly(): Promise<number> {
  await using other = await startNats()
  await addStream(other.url)
  const publisher = await connect({ servers: other.url })
  const stream = jetstream(publisher)
  const window = 256
  const messages = Array.from({ length: Math.min(total, 50_000) }, (_, index) => {
    const event = eventOf(index % hosts, Math.floor(index / hosts), Date.now())
    return { subject: eventSubject(hostNameOf(index % hosts), 'signal'), body: JSON.stringify(event), id: event.id }
  })
  const seconds = await secondsOf(async () => {
    for (let start = 0; start < messages.length; start += window) {
      await Promise.all(
        messages
          .slice(start, start + window)
          .map(({ subject, body, id }) => stream.publish(subject, body, { msgID: messageId(id, 1) })),
      )
    }
  })
  await publisher.close()
  return (seconds * total) / messages.length
}

async function byRsyslog(): Promise<number> {
  await using rsyslog = await startRsyslog(join(folder, 'rsyslog'), databaseUrl, 'signals_by_rsyslog')
  const lines = Array.from({ length: total }, (_, index) =>
    JSON.stringify(eventOf(index % hosts, Math.floor(index / hosts), Date.now())),
  )
  return await secondsOf(async () => {
    await Promise.all([rsyslog.send(lines), stored('signals_by_rsyslog')])
  })
}

/** Resolves when all events are in the table, each once. */
async function stored(table: string): Promise<void> {
  const deadlineMs = performance.now() + 1_200_000
  for (;;) {
    // The table's own counter costs nothing; it is told late, so the rows are counted at the end.
    const { rows } = await database.query(`select count(*)::int as count from ${table}`)
    if (rows[0].count === total) return
    if (performance.now() > deadlineMs) throw new Error(`expected ${total} rows in ${table}, found ${rows[0].count}`)
    await pause(Math.max(20, ((total - rows[0].count) / total) * 500))
  }
}

function startCollector() {
  const child = kept(
    spawn(process.execPath, [...process.execArgv, path('../../packages/collector/src/main.ts'), 'run'], {
      env: { ...environment, WHOKILLED_HTTP_PORT: '0', WHOKILLED_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  )
  const ready = new Promise<void>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (/"level":(?:[4-6]0)/.test(line)) process.stderr.write(`${line}\n`)
      if (text.includes('listening')) resolve()
    })
  })
  return {
    ready,
    async stop() {
      child.kill('SIGTERM')
      await ended(child)
    },
  }
}

async function collectorRun(args: readonly string[]): Promise<void> {
  const child = kept(
    spawn(process.execPath, [...process.execArgv, path('../../packages/collector/src/main.ts'), ...args], {
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )
  await ended(child)
}

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1_000
}
