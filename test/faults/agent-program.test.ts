import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { startAgent } from '../../packages/agent/test/agent-program.ts'
import { writeRecording } from '../../packages/agent/test/recorded-story.ts'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { ask } from './ledger.ts'
import { enter } from './ledger-book.ts'
import { type Scene, startScene } from './scene.ts'

/** The agent's program itself, told of deaths by a recording: which deaths there are is known before. */

let nats: NatsServer
let scene: Scene
let folder = ''
beforeAll(async () => {
  nats = await startNats()
  scene = await startScene({ natsUrl: nats.url, settings: { retentionDays: null } })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-killed-agent-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('an agent that is killed three times while it tells a story has told all of it once in the end', async () => {
  const services = Array.from({ length: 300 }, (_, index) => `s${index}.service`)
  const args = await agentArgs('web-killed', services, { speed: 'real' })
  for (let kill = 0; kill < 3; kill += 1) {
    const { length } = await deaths('web-killed')
    await using agent = startAgent(args)
    await expect.poll(async () => (await deaths('web-killed')).length).toBeGreaterThan(length + 20)
    await agent.stop('SIGKILL')
  }
  const beganMs = Date.now()
  const { status } = await startAgent(args).ended
  expect(status).toBe(0)
  await expect.poll(async () => (await deaths('web-killed')).length).toBe(services.length)
  expect((await deaths('web-killed')).sort()).toEqual([...services].sort())
  const found = await runs('web-killed')
  expect(found.length).toBe(4)
  expect(found.map(({ missing }) => missing)).toEqual([0, 0, 0, 0])
  book('the agent program is killed 3 times', services.length, Date.now() - beganMs)
})

test('what an agent had on disk when it was killed, without NATS, its successor publishes', async () => {
  const services = Array.from({ length: 200 }, (_, index) => `t${index}.service`)
  const args = await agentArgs('web-cut-off', services, { speed: 'real' })
  await nats.kill()
  {
    await using agent = startAgent(args)
    await expect.poll(() => agent.stderr()).toContain('nats-unreachable')
    await pause(1_500)
    await agent.stop('SIGKILL')
  }
  const successor = await agentArgs('web-cut-off', services.slice(0, 1), {})
  const beganMs = Date.now()
  await nats.start()
  const { status, stderr } = await startAgent(successor).ended
  expect(status).toBe(0)
  const spooled = Number(/"spooled":(\d+),"msg":"starting"/.exec(stderr)?.[1])
  expect(spooled).toBeGreaterThan(10)
  await expect.poll(async () => (await runs('web-cut-off')).map(({ events }) => events)).toContain(spooled)
  await expect.poll(async () => (await runs('web-cut-off')).map(({ missing }) => missing)).toEqual([0, 0])
  book('the agent program is killed without NATS', spooled, Date.now() - beganMs)
})

async function agentArgs(hostName: string, services: readonly string[], replay: object): Promise<string[]> {
  const config = join(folder, 'agent.json')
  const probe = `replay:${await writeRecording(folder, { services, everyMs: 20 })}`
  const state = { stateFolder: join(folder, 'state'), hostName }
  await writeFile(config, JSON.stringify({ natsUrl: nats.url, ...state, probe, replay }))
  return ['run', '--config', config]
}

function book(fault: string, events: number, recoveryMs: number): void {
  enter(inject('ledgerBook'), {
    ...{ fault, recoveryMs },
    ...{ accepted: events, stored: events, duplicates: 0, lost: 0, gaps: 0 },
  })
}

/** The services of all deaths of a host that are stored. */
const deaths = (host: string) =>
  ask(scene.databaseUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'select service_name as name from deaths where host_name = $1',
      [host],
    )
    return rows.map(({ name }) => name)
  })

/** The runs of a host's agents: how many events each has told, and how many are missing of them. */
const runs = (host: string) =>
  ask(scene.databaseUrl, async (client) => {
    const sql = `
      select missing_count(seqs)::int as missing, (upper(seqs) - 1)::int as events
      from runs where host_id in (select id from hosts where name = $1)`
    return (await client.query<{ missing: number; events: number }>(sql, [host])).rows
  })
