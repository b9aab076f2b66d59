import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CoverageAnswer, HostStatus, WhoKilledAnswer } from '@whokilled/shared/http-api'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RunningAgent, startAgent } from '../packages/agent/test/agent-program.ts'
import { runCli } from '../packages/cli/test/run-cli.ts'
import { type Running, startRunning } from '../packages/collector/test/running.ts'
import { type PostgresServer, startPostgres } from './servers/postgres.ts'

/** A real agent that is killed, a service that dies meanwhile, and what the collector and the CLI answer (bpftrace, root). */

let postgres: PostgresServer
let running: Running
let folder = ''
let service: ChildProcess
beforeAll(async () => {
  postgres = await startPostgres()
  running = await startRunning(postgres)
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-partly-'))
})
afterEach(async () => {
  service.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

test('a service that died while the agent was dead is answered with that gap, and so is the host', async () => {
  const name = `shop-${randomBytes(4).toString('hex')}.sh`
  await writeFile(join(folder, name), 'while :; do sleep 1; done\n')
  service = spawn('sh', [join(folder, name)], { stdio: 'ignore' })
  await once(service, 'spawn')
  const first = await watching()
  const memory = join(folder, 'state', 'last-watch.jsonl')
  await expect.poll(() => readFile(memory, 'utf8').catch(() => '')).toContain(name)
  await first.stop('SIGKILL')
  service.kill('SIGKILL')
  await once(service, 'exit')
  await pause(1_000)

  await using second = await watching()
  const answer = () => ask<WhoKilledAnswer>(`/v1/who-killed?service=${name}`)
  await expect.poll(async () => (await answer()).deathCount).toBe(1)
  const { death } = await answer()
  expect(death).toMatchObject({ cause: 'unknown', killer: null, verdict: { confidence: 'possible' } })

  const told = await runCli([name, '--url', running.collector.url])
  expect(told.status).toBe(0)
  expect(told.stdout).toMatch(new RegExp(`^${name} on web-3 ended while nobody was watching; found gone at `))
  expect(told.stdout).toContain('  by    not known: nobody was watching\n')
  expect(told.stdout).toMatch(
    /^ {2}gap {3}not watched (between [\d:]+ and [\d:]+|at [\d:]+) \(the agent was killed or crashed\)$/m,
  )

  const hour = new Date(Date.now() - 600_000).toISOString()
  const { coverage } = await ask<CoverageAnswer>(`/v1/coverage?host=web-3&since=${hour}`)
  const [before, gap, ...more] = coverage[0]?.gaps ?? []
  expect(before).toMatchObject({ why: 'not-watched' })
  expect(gap).toMatchObject({ why: 'agent-killed', reason: 'the agent was killed or crashed', lostRecords: 0 })
  // Nothing between what the first agent said, what the second said for it, and the second's own watching.
  expect(more).toEqual([])
  const covered = await runCli(['coverage', '--host', 'web-3', '--since', '10m', '--url', running.collector.url])
  expect(covered.stdout).toMatch(/^web-3 was not watched [\d:]+–[\d:]+ \(the agent was killed or crashed\)$/m)
  expect((await second.stop()).status).toBe(0)
})

async function watching(): Promise<RunningAgent> {
  const config = join(folder, 'agent.json')
  const settings = {
    probe: 'bpftrace',
    stateFolder: join(folder, 'state'),
    natsUrl: running.nats.url,
    hostName: 'web-3',
  }
  await writeFile(config, JSON.stringify(settings))
  const since = Date.now()
  const agent = startAgent(['run', '--config', config])
  const isWatched = async () => {
    if (agent.child.exitCode !== null) throw new Error(agent.stderr())
    const { hosts } = await ask<{ hosts: HostStatus[] }>('/v1/hosts')
    return hosts.some(({ state, watchedSince }) => state === 'watching' && Date.parse(watchedSince ?? '') > since)
  }
  await expect.poll(isWatched, { interval: 200 }).toBe(true)
  return agent
}

async function ask<T>(path: string): Promise<T> {
  return (await running.get(path)).body as T
}
