import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { ask } from './ledger.ts'
import { endure, expectKept, type Scene, startScene } from './scene.ts'

/** A collector that hangs: its host is suspended, its disk does not answer, somebody stopped it. */

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

test('the messages of a collector that hangs go to the other, and what it wakes up with changes nothing', async () => {
  await using host = await scene.host()
  const [hanging] = scene.collectors
  const ledger = await endure(scene, {
    name: 'a collector hangs for 6 s',
    hosts: [host],
    strike: async () => {
      await hanging?.hang()
      await pause(6_000)
    },
    mend: async () => hanging?.goOn(),
  })
  expectKept(ledger)
})

test('a collector that hangs in the middle of a transaction does not stop the other', async () => {
  await using host = await scene.host()
  const [hanging, other] = scene.collectors
  const ledger = await endure(scene, {
    name: 'a collector hangs in a transaction, and for good',
    hosts: [host],
    strike: async () => {
      // The statement that the hanging one has begun still runs; then its transaction waits for it, with its locks.
      await ask(scene.databaseUrl, async (client) => {
        await client.query('begin')
        await client.query('lock table runs in access exclusive mode')
        await untilWaiting()
        await hanging?.hang()
        await client.query('commit')
      })
      expect(await idleInTransaction()).toBeGreaterThan(0)
    },
    mend: async () => undefined,
  })
  expectKept(ledger)
  expect(await other?.count('whokilled_messages_consumed_total')).toBeGreaterThan(0)
  hanging?.goOn()
  await expect.poll(() => hanging?.count('whokilled_messages_consumed_total')).toBeGreaterThan(0)
})

/** Both collectors have a transaction that waits for the lock. */
async function untilWaiting(): Promise<void> {
  const sql = `select count(distinct client_port)::int as count from pg_stat_activity
    where application_name = 'whokilled-collector' and wait_event_type = 'Lock'`
  const waiting = () =>
    ask(scene.databaseUrl, async (client) => (await client.query<{ count: number }>(sql)).rows[0]?.count)
  await expect.poll(waiting).toBe(2)
}

async function idleInTransaction(): Promise<number> {
  const sql = `select count(*)::int as count from pg_stat_activity
    where application_name = 'whokilled-collector' and state like 'idle in transaction%'`
  return await ask(scene.databaseUrl, async (client) => {
    await pause(200)
    return (await client.query<{ count: number }>(sql)).rows[0]?.count ?? 0
  })
}
