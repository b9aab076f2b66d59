import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { endure, expectKept, type Scene, startScene } from './scene.ts'
import type { SendingHost } from './sending-host.ts'

/** SIGKILL in the middle of load, of each program and of each pair, twice in a row. */

let nats: NatsServer
let scene: Scene
beforeAll(async () => {
  nats = await startNats()
  scene = await startScene({ natsUrl: nats.url })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

const programs = ['agent', 'collector', 'nats-server', 'Postgres'] as const
const pairs = programs.flatMap((one, index) => programs.slice(index + 1).map((other) => [one, other] as const))
const cases = [...programs.map((one) => [one] as const), ...pairs]

test.each(cases.map((killed) => [killed.join(' and '), killed] as const))(
  'after a SIGKILL of %s everything that was accepted is stored once',
  async (name, killed) => {
    await using first = await scene.host()
    await using second = await scene.host()
    const there = (program: (typeof programs)[number]) => parts(scene, first)[program]
    const strike = async () => {
      await Promise.all(killed.map((program) => there(program).kill()))
      // The second time they die while they are making up for the first.
      await Promise.all(killed.map((program) => there(program).start()))
      await pause(700)
      await Promise.all(killed.map((program) => there(program).kill()))
      await pause(500)
    }
    const mend = () => Promise.all(killed.map((program) => there(program).start()))
    const ledger = await endure(scene, { name: `SIGKILL of ${name}`, hosts: [first, second], strike, mend })
    expectKept(ledger)
  },
)

test('after a SIGKILL of all collectors everything that was accepted is stored once', async () => {
  await using host = await scene.host()
  const ledger = await endure(scene, {
    name: 'SIGKILL of all collectors',
    hosts: [host],
    strike: () => Promise.all(scene.collectors.map((collector) => collector.kill())),
    mend: () => Promise.all(scene.collectors.map((collector) => collector.start())),
  })
  expectKept(ledger)
  expect(ledger.accepted).toBeGreaterThan(100)
})

interface Mortal {
  start(): void | Promise<void>
  kill(): Promise<void>
}

function parts({ collectors, postgres }: Scene, agent: SendingHost) {
  const [collector] = collectors
  if (collector === undefined) throw new Error('expected a scene with a collector')
  return { agent, collector, 'nats-server': nats, Postgres: postgres } satisfies Record<string, Mortal>
}
