import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { DeathEvent } from '@whokilled/shared/event'
import type { HostStatus } from '@whokilled/shared/http-api'
import { streamName } from '@whokilled/shared/subjects'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { runAgent, startAgent } from '../packages/agent/test/agent-program.ts'
import { type RecordedStory, writeRecording } from '../packages/agent/test/recorded-story.ts'
import { runCli } from '../packages/cli/test/run-cli.ts'
import { type Running, startRunning } from '../packages/collector/test/running.ts'
import { type PostgresServer, startPostgres } from './servers/postgres.ts'

/** A recording, replayed by the agent, through NATS, the collector and Postgres, to the answer of the CLI. */

let postgres: PostgresServer
let folder = ''
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres[Symbol.asyncDispose]())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-pipeline-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const collector = {
  retentionDays: null,
  ackWaitSeconds: 2,
  stream: { ageMaxHours: 168, bytesMax: 1e9, duplicateWindowSeconds: 1, replicas: 1, subjectMessagesMax: 25_000 },
}

/** The agent's arguments for a story that is told to this collector. */
async function agentArgs({ nats }: Running, story: RecordedStory, replay: object): Promise<string[]> {
  const config = join(folder, 'agent.json')
  const probe = `replay:${await writeRecording(folder, story)}`
  await writeFile(config, JSON.stringify({ natsUrl: nats.url, stateFolder: join(folder, 'state'), probe, replay }))
  return ['run', '--config', config]
}

async function storedDeaths(running: Running): Promise<DeathEvent[]> {
  const { status, body } = await running.get('/v1/deaths?limit=1000')
  return status === 200 ? (body as { deaths: DeathEvent[] }).deaths : []
}

const serviceNames = (deaths: readonly DeathEvent[]) => deaths.map(({ service }) => service.name).sort()

/** What the collector can prove of losses: numbers of the agent's events that never came. */
async function lostEvents(running: Running): Promise<number | undefined> {
  const { body } = await running.get('/v1/hosts')
  return (body as { hosts: HostStatus[] }).hosts[0]?.lostEvents
}

test('whoever asks for a service is told who killed it', async () => {
  await using running = await startRunning(postgres, collector)
  const story = { services: ['nginx.service', 'api.service'] }
  const { status, stderr } = await runAgent(await agentArgs(running, story, { time: 'now', speed: 'real' }))
  expect([status, stderr.includes('"error"')]).toEqual([0, false])
  await expect.poll(() => storedDeaths(running)).toHaveLength(2)

  const answer = await runCli(['nginx', '--url', running.collector.url])
  expect(answer.stderr).toBe('')
  expect(answer.status).toBe(0)
  const [headline, ...lines] = answer.stdout.split('\n')
  expect(headline).toMatch(/^nginx\.service on web-3 was killed .*\(just now\)\.$|^nginx\.service on web-3 was killed /)
  expect(lines.find((line) => /^ +by /.test(line))).toMatch(/by +sh xdkill\.sh .*pid 5120.*uid 1001/)
  expect(lines.find((line) => /^ +from /.test(line))).toMatch(/from +bash/)
  expect(lines.find((line) => /^ +with /.test(line))).toMatch(/SIGKILL, sent by kill\(2\), delivered/)
  expect(lines.find((line) => /^ +sure /.test(line))).toContain('certain')
  expect((await runCli(['mysql', '--url', running.collector.url])).status).toBe(1)
})

test('the same recording told again is stored once, although the stream no longer recognises it', async () => {
  await using running = await startRunning(postgres, collector)
  const args = await agentArgs(running, { services: ['a.service', 'b.service'] }, {})
  expect((await runAgent(args)).status).toBe(0)
  await expect.poll(() => storedDeaths(running)).toHaveLength(2)
  const before = await storedDeaths(running)
  const messages = await messagesIn(running)
  await pause(1_500)
  expect((await runAgent(args)).status).toBe(0)
  await expect.poll(() => messagesIn(running)).toBe(messages * 2)
  await expect.poll(async () => (await running.get('/v1/hosts')).body).toMatchObject({ hosts: [{ state: 'stopped' }] })
  expect(await storedDeaths(running)).toEqual(before)
})

const services = Array.from({ length: 60 }, (_, index) => `s${index}.service`)

test('what died while NATS was away arrives when it is back, everything once', async () => {
  await using running = await startRunning(postgres, collector)
  const args = await agentArgs(running, { services, everyMs: 50 }, { speed: 'real', time: 'now' })
  await using agent = startAgent(args)
  await expect.poll(async () => (await storedDeaths(running)).length).toBeGreaterThan(5)
  await running.nats.kill()
  await pause(1_500)
  expect((await storedDeaths(running)).length).toBeLessThan(services.length)
  await running.nats.start()
  await expect.poll(async () => serviceNames(await storedDeaths(running))).toEqual([...services].sort())
  expect((await agent.ended).status).toBe(0)
  await expect.poll(() => lostEvents(running)).toBe(0)
})

test('what died while Postgres was dead arrives when it is back, everything once', async () => {
  await using running = await startRunning(postgres, collector)
  const args = await agentArgs(running, { services, everyMs: 50 }, { speed: 'real', time: 'now' })
  await using agent = startAgent(args)
  await expect.poll(async () => (await storedDeaths(running)).length).toBeGreaterThan(5)
  await postgres.kill()
  await pause(1_500)
  expect((await running.get('/v1/deaths')).status).toBe(503)
  await postgres.start()
  await expect.poll(async () => serviceNames(await storedDeaths(running))).toEqual([...services].sort())
  expect((await agent.ended).status).toBe(0)
  await expect.poll(() => lostEvents(running)).toBe(0)
})

async function messagesIn({ nats }: Running): Promise<number> {
  const connection = await connect({ servers: nats.url })
  try {
    const { state } = await (await jetstreamManager(connection)).streams.info(streamName)
    return state.messages
  } finally {
    await connection.close()
  }
}
