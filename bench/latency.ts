/**
 * From kill to answer: services are killed one after the other on this machine; each time is from the system call until
 * GET /v1/deaths shows the death, through the probe, the agent's disk, NATS, the collector, Postgres and HTTP.
 *
 *     npm run bench -- latency [kills]
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeathEvent } from '@whokilled/shared/event'
import pg from 'pg'
import { startCollector } from '../packages/collector/src/collector.ts'
import { loadConfig } from '../packages/collector/src/config.ts'
import { createLog } from '../packages/collector/src/log.ts'
import { compiledPrograms } from '../test/kernel/lab/programs.ts'
import { startNats } from '../test/servers/nats.ts'
import { startPostgres } from '../test/servers/postgres.ts'
import { startAgentProcess, until } from './agent-process.ts'
import { figures } from './figures.ts'

const killCount = Number(process.argv[2] ?? 200)
const pollMs = 5

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
const collector = await startCollector(config, createLog('error'), { migrate: true })
await using agent = await startAgentProcess(nats.url)
// A name of its own, so that nothing else on this machine is taken for it.
const service = `shop-${randomBytes(4).toString('hex')}`
const folder = await mkdtemp(join(tmpdir(), 'whokilled-latency-'))
const victim = join(folder, service)
await copyFile((await compiledPrograms()).get('victim') ?? '', victim)

// The first death is not measured: it waits for the proof that kills are seen.
await until(async () => ((await agent.metric('events_total')) > 0 ? true : undefined), 50)
const { event: first } = await killOne()
const { probe } = first.agent

const answered: number[] = []
const names: string[] = []
for (let kill = 0; kill < killCount; kill += 1) {
  const { event, answeredMs } = await killOne()
  answered.push(answeredMs)
  names.push(event.killer?.comm ?? 'nobody')
}

const database = new pg.Client({ connectionString: databaseUrl })
await database.connect()
const { rows } = await database.query<{ ms: number }>(
  'select extract(epoch from received_at - at)::float8 * 1000 as ms from deaths where service_name = $1 order by at offset 1',
  [service],
)
await database.end()
const stored = rows.map(({ ms }) => ms)
const lost = await agent.metric('records_lost_total')
await collector.stop()
await rm(folder, { recursive: true })

console.log(
  `${killCount} kills under ${probe}, asked every ${pollMs} ms, ${names.filter((name) => name === names[0]).length} of them told with their killer ${names[0]}`,
)
print('kill → answer over HTTP', answered)
print('death (by its event) → its transaction in Postgres began', stored)
console.log(`records lost: ${lost}`)
console.log(
  JSON.stringify({
    benchmark: 'latency',
    probe,
    kernel: release(),
    kills: killCount,
    answerMs: figures(answered),
    storedMs: figures(stored),
    recordsLost: lost,
  }),
)

/** Kills one process of the service, and waits for the answer. */
async function killOne(): Promise<{ event: DeathEvent; answeredMs: number }> {
  const child = spawn(victim, [], { stdio: 'ignore' })
  await once(child, 'spawn')
  // Not in step with anything that happens at intervals.
  await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 60))
  const beganMs = performance.now()
  child.kill('SIGKILL')
  const event = await until(() => latestDeath(child.pid), pollMs)
  return { event, answeredMs: performance.now() - beganMs }
}

async function latestDeath(pid: number | undefined): Promise<DeathEvent | undefined> {
  const response = await fetch(`${collector.url}/v1/deaths?limit=1&service=${encodeURIComponent(service)}`)
  const { deaths } = (await response.json()) as { deaths: DeathEvent[] }
  return deaths.find((death) => death.victim.pid === pid)
}

function print(what: string, values: readonly number[]): void {
  const { p50, p99, max } = figures(values)
  console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`)
}
