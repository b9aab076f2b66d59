import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { ask } from './ledger.ts'
import { endure, expectKept, type Scene, startScene } from './scene.ts'

/** Hosts whose clocks jump: by days and weeks, so that their events belong into other partitions. */

const dayMs = 86_400_000

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

test('events of a clock that jumps a day and weeks are stored once, while partitions are made for them', async () => {
  await using first = await scene.host({ clockJumpsMs: [0, dayMs, -dayMs, 0, 40 * dayMs, -40 * dayMs] })
  await using second = await scene.host({ clockJumpsMs: [-9 * dayMs, 9 * dayMs, 300 * dayMs, -3_000 * dayMs] })
  const ledger = await endure(scene, {
    name: 'clocks jump by days, and partitions are made',
    hosts: [first, second],
    strike: async () => {
      for (let week = -8; week <= 8; week += 1) await makePartitions(week)
    },
    mend: async () => undefined,
  })
  expectKept(ledger)
  expect(await inDefaultPartitions()).toBeGreaterThan(0)
})

test('an event that waits while its partition is made is stored in it', async () => {
  // So few that each is a transaction of its own: there is no neighbour with which it could be tried again.
  await using host = await scene.host({ clockJumpsMs: [80 * dayMs], perSecond: 40 })
  let waited = 0
  const ledger = await endure(scene, {
    name: 'partitions are made under waiting events',
    hosts: [host],
    strike: async () => {
      for (const table of ['deaths', 'signals', 'coverage']) {
        await ask(scene.databaseUrl, async (client) => {
          await client.query('begin')
          await client.query(`select make_partition('${table}', now() + interval '80 days')`)
          await expect.poll(waiting).toBeGreaterThan(0)
          waited += 1
          await client.query('commit')
        })
      }
    },
    mend: async () => undefined,
  })
  expectKept(ledger)
  expect(waited).toBe(3)
  expect(await deadLetters()).toEqual([])
})

async function makePartitions(week: number): Promise<void> {
  await ask(scene.databaseUrl, async (client) => {
    for (const table of ['deaths', 'signals', 'coverage']) {
      await client.query(`select make_partition('${table}', now() + $1 * interval '1 week')`, [week])
    }
  })
}

const count = (sql: string) =>
  ask(scene.databaseUrl, async (client) => (await client.query<{ count: number }>(sql)).rows[0]?.count ?? 0)

const inDefaultPartitions = () => count('select count(*)::int as count from deaths_default')

const waiting = () =>
  count(
    `select count(*)::int as count from pg_stat_activity
      where application_name = 'whokilled-collector' and wait_event_type = 'Lock'`,
  )

const deadLetters = () =>
  ask(scene.databaseUrl, async (client) => (await client.query('select reason, detail from dead_letters')).rows)
