import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { ask } from './ledger.ts'
import { endure, expectKept, flowing, type Scene, startScene } from './scene.ts'
import type { SendingHost } from './sending-host.ts'

/** One host that sends as fast as it can, while ten others send what hosts send. */

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

const quietPerSecond = 10
const floodPerSecond = 3_000
const lastsMs = 10_000

test('a host that floods keeps the others waiting for a moment, and loses nothing itself', async () => {
  const quiet = await Promise.all(Array.from({ length: 10 }, () => scene.host({ perSecond: quietPerSecond })))
  const flooding = await scene.host({ perSecond: quietPerSecond })
  await using _ = { [Symbol.asyncDispose]: () => disposeAll([...quiet, flooding]) }
  await flowing(scene, [...quiet, flooding])
  const quietMs = await delaysMs(quiet, Date.now() - lastsMs / 2, Date.now())
  let floodMs: number[] = []
  const ledger = await endure(scene, {
    name: 'one of 11 hosts floods for 10 s',
    hosts: [...quiet, flooding],
    strike: async () => {
      const beganMs = Date.now()
      flooding.rate(floodPerSecond)
      await pause(lastsMs)
      flooding.rate(quietPerSecond)
      const endedMs = Date.now()
      await expect.poll(async () => (await delaysMs(quiet, beganMs, endedMs)).length).toBeGreaterThan(200)
      await pause(lastsMs / 2)
      floodMs = await delaysMs(quiet, beganMs, endedMs)
    },
    mend: async () => undefined,
    note: () =>
      `the others' events take ${text(quietMs)} from disk to Postgres without, ${text(floodMs)} with the flood`,
  })
  expectKept(ledger)
  // Starved they would wait for as long as the flood lasts.
  expect(percentile(floodMs, 50)).toBeLessThan(lastsMs)
})

/** How long the events that were accepted in between took to the transaction that stored them, milliseconds, sorted. */
async function delaysMs(hosts: readonly SendingHost[], fromMs: number, toMs: number): Promise<number[]> {
  const sql = `
    select id::text, extract(epoch from received_at)::float8 * 1000 as ms from (
      select id, host_name, received_at from deaths
      union all select id, host_name, received_at from signals
    ) as each where host_name = any ($1)`
  const { rows } = await ask(scene.databaseUrl, (client) =>
    client.query<{ id: string; ms: number }>(sql, [hosts.map(({ name }) => name)]),
  )
  const fates = new Map(hosts.flatMap((host) => [...host.fates()]))
  const delays = rows.flatMap(({ id, ms }) => {
    const acceptedMs = fates.get(id)?.acceptedMs
    return acceptedMs === undefined || acceptedMs < fromMs || acceptedMs > toMs ? [] : [ms - acceptedMs]
  })
  return delays.sort((one, other) => one - other)
}

function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}

function text(sorted: readonly number[]): string {
  return `${percentile(sorted, 50).toFixed(0)} ms (p99 ${percentile(sorted, 99).toFixed(0)} ms)`
}

async function disposeAll(hosts: readonly SendingHost[]): Promise<void> {
  await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()))
}
