/**
 * A fleet on this machine: simulated hosts with an identity each, one nats-server with their permissions, two collectors,
 * one Postgres. At rising rates it tells what processor time each part takes an event, and how long events are on their
 * way; then NATS is killed under them, and all come back at once. docs/scaling.md reckons on from these figures.
 *
 *     npm run bench -- fleet [hosts] [seconds at each rate]
 */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { hostIdentity } from '../../packages/collector/src/identity/identity.ts'
import { startGuardedNats } from '../../packages/collector/test/guarded-nats.ts'
import { startPostgres } from '../../test/servers/postgres.ts'
import { ended, kept } from '../children.ts'
import type { HostsOrder, HostsTask, HostsWord } from './hosts.ts'
import { processorMs, residentMegabytes } from './processor-time.ts'

const hostCount = Number(process.argv[2] ?? 1_000)
const seconds = Number(process.argv[3] ?? 30)
/** Events a second of each host; an ordinary host has a death or a signal of its services every few seconds at most. */
const rates = [0.1, 0.5, 2, 5]
const processes = 4
const awaySeconds = 20
const countAll =
  'select (select count(*) from deaths) + (select count(*) from signals) + (select count(*) from coverage) as count'

const names = Array.from({ length: hostCount }, (_, index) => `web-${index}`)
progress(`making ${hostCount} identities`)
await using guarded = await startGuardedNats(names)
await using postgres = await startPostgres({ shared_buffers: '256MB', max_wal_size: '4GB' })
const databaseUrl = await postgres.createDatabase()
const settings = {
  ...process.env,
  WHOKILLED_NATS_URL: guarded.nats.url,
  WHOKILLED_POSTGRES_URL: databaseUrl,
  WHOKILLED_HTTP_PORT: '0',
  WHOKILLED_LOG_LEVEL: 'warn',
}
const database = new pg.Client({ connectionString: databaseUrl })
database.on('error', () => {})
await collector(['migrate'], 'admin').ended()
await database.connect()
const collectors = [collector(['run'], 'collector'), collector(['run'], 'collector')]

progress('connecting the hosts')
const share = Math.ceil(hostCount / processes)
const drivers = await Promise.all(
  Array.from({ length: processes }, (_, index) => startHosts(names.slice(index * share, (index + 1) * share))),
)
const parts = () => ({
  nats: guarded.nats.pid,
  collectors: collectors.map(({ pid }) => pid),
  postgres: postgres.pid,
})

console.log(`${hostCount} hosts in ${processes} processes, ${collectors.length} collectors`)
console.log('events/s   delay p50, p99      processor time an event: nats-server, collectors, Postgres; of one core')
let stored = 0
for (const eventsPerSecond of rates) {
  progress(`${eventsPerSecond * hostCount} events/s for ${seconds} s`)
  const since = new Date()
  const before = taken()
  const made = await ordered({ seconds, eventsPerSecond })
  await storedAll(made)
  const after = taken()
  const count = made - stored
  stored = made
  const used = (part: keyof typeof before) => after[part] - before[part]
  const each = (part: keyof typeof before) => `${Math.round((1_000 * used(part)) / count)} µs`
  const [p50, p99] = await delays(since)
  const whole = ((used('nats') + used('collectors') + used('postgres')) / (seconds * 10)).toFixed(0)
  console.log(
    `${String(Math.round(count / seconds)).padEnd(10)} ${`${p50} ms, ${p99} ms`.padEnd(19)} ${each('nats')}, ${each('collectors')}, ${each('postgres')}; ${whole} %`,
  )
}

progress(`NATS is killed, and away for ${awaySeconds} s`)
await guarded.nats.kill()
const order = ordered({ seconds: awaySeconds, eventsPerSecond: 1 })
await pause(awaySeconds * 1_000)
const backMs = performance.now()
await guarded.nats.start()
const made = await order
await storedAll(made)
console.log(
  `NATS away for ${awaySeconds} s: ${made - stored} events gathered; ${((performance.now() - backMs) / 1_000).toFixed(1)} s after its return all were stored, each once`,
)
const { rows } = await database.query(
  `select pg_database_size(current_database()) as bytes, (select sum(length(event::text)) from deaths) as deaths_json,
   (select sum(length(event::text)) from signals) as signals_json, (select count(*) from hosts) as hosts`,
)
console.log(
  `Postgres: ${Math.round(Number(rows[0].bytes) / made)} bytes an event of ${Math.round((Number(rows[0].deaths_json) + Number(rows[0].signals_json)) / made)} bytes of JSON, ${rows[0].hosts} hosts`,
)
const { nats, collectors: pids } = parts()
console.log(
  `resident: nats-server ${residentMegabytes(nats)} MB, each collector ${pids.map((pid) => residentMegabytes(pid)).join(' and ')} MB`,
)
for (const driver of drivers) await driver.end()
for (const one of collectors) await one.stop()
await database.end()

function taken() {
  const { nats, collectors: pids, postgres: server } = parts()
  return {
    nats: processorMs(nats),
    collectors: pids.reduce((sum, pid) => sum + processorMs(pid), 0),
    postgres: processorMs(server),
  }
}

/** How many events have been made since the beginning, once all of them are acknowledged. */
async function ordered(order: HostsOrder): Promise<number> {
  const made = await Promise.all(drivers.map((driver) => driver.obey(order)))
  return made.reduce((sum, count) => sum + count, 0)
}

/** Resolves when so many events are in the tables. */
async function storedAll(count: number): Promise<void> {
  const deadlineMs = performance.now() + 600_000
  for (;;) {
    const { rows } = await database.query<{ count: string }>(countAll)
    const found = Number(rows[0]?.count)
    if (found === count) return
    if (found > count || performance.now() > deadlineMs) throw new Error(`expected ${count} events, found ${found}`)
    await pause(200)
  }
}

/** From when an event was made until its transaction began, milliseconds: this machine has one clock. */
async function delays(since: Date): Promise<[number, number]> {
  const { rows } = await database.query<{ p50: number; p99: number }>(
    `select percentile_cont(0.5) within group (order by delay) as p50, percentile_cont(0.99) within group (order by delay) as p99
     from (select extract(epoch from received_at - at) * 1000 as delay from deaths where at >= $1
       union all select extract(epoch from received_at - at) * 1000 from signals where at >= $1) as delays`,
    [since],
  )
  return [Math.round(rows[0]?.p50 ?? 0), Math.round(rows[0]?.p99 ?? 0)]
}

async function startHosts(own: readonly string[]) {
  const hosts = own.map((name) => ({ name, seedFile: guarded.seedFile(hostIdentity(name)) }))
  const task: HostsTask = { natsUrl: guarded.nats.url, hosts }
  const child = kept(fork(path('./hosts.ts'), [JSON.stringify(task)], { execArgv: process.execArgv }))
  await once(child, 'message')
  return {
    async obey(order: HostsOrder): Promise<number> {
      child.send(order)
      const [word] = (await once(child, 'message')) as [HostsWord]
      if (!('made' in word)) throw new Error('expected a number of events')
      return word.made
    },
    async end() {
      child.send('end')
      await ended(child)
    },
  }
}

function collector(args: readonly string[], identity: 'admin' | 'collector') {
  const seed = guarded.seedFile({ kind: identity })
  const program = path('../../packages/collector/src/main.ts')
  const key = identity === 'admin' ? 'WHOKILLED_NATS_ADMIN_NKEY_FILE' : 'WHOKILLED_NATS_NKEY_FILE'
  const child = kept(
    spawn(process.execPath, [...process.execArgv, program, ...args], {
      env: { ...settings, [key]: seed },
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )
  return {
    pid: child.pid ?? 0,
    ended: () => ended(child),
    async stop() {
      child.kill('SIGTERM')
      await ended(child)
    },
  }
}

function progress(what: string): void {
  process.stderr.write(`${what} …\n`)
}

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
