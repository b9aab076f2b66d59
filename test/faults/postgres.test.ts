import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { ask } from './ledger.ts'
import { endure, expectKept, type Fault, type Scene, startScene } from './scene.ts'
import type { SendingHost } from './sending-host.ts'

/** What Postgres can do to a collector beside dying. */

let nats: NatsServer
let scene: Scene
let host: SendingHost
beforeAll(async () => {
  nats = await startNats()
  scene = await startScene({ natsUrl: nats.url })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})
beforeEach(async () => {
  host = await scene.host()
})
afterEach(() => host[Symbol.asyncDispose]())

/** How long a fault lasts: longer than the time after which messages are delivered again. */
const lastsMs = 4_000

async function keptThrough(fault: Omit<Fault, 'hosts'>): Promise<void> {
  const ledger = await endure(scene, { ...fault, hosts: [host] })
  expectKept(ledger)
}

/** As the database's owner would, not through the database itself. */
const govern = (...statements: string[]) =>
  ask(scene.postgres.url, async (client) => {
    for (const statement of statements) await client.query(statement)
  })
const inDatabase = (...statements: string[]) =>
  ask(scene.databaseUrl, async (client) => {
    for (const statement of statements) await client.query(statement)
  })

const endSessions = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'whokilled-collector'`

test('while Postgres refuses connections nothing is lost', () =>
  keptThrough({
    name: 'Postgres refuses connections for 4 s',
    strike: async () => {
      const [name] = new URL(scene.databaseUrl).pathname.slice(1).split('?')
      await govern(`alter database ${name} allow_connections false`, endSessions)
      await pause(lastsMs)
    },
    mend: () => govern(`alter database ${new URL(scene.databaseUrl).pathname.slice(1)} allow_connections true`),
  }))

test('while Postgres takes no writes nothing is lost', () =>
  keptThrough({
    name: 'Postgres is read-only for 4 s',
    strike: async () => {
      await govern('alter system set default_transaction_read_only = on', 'select pg_reload_conf()')
      await pause(lastsMs)
    },
    mend: () =>
      govern(
        'set default_transaction_read_only = off',
        'alter system reset default_transaction_read_only',
        'select pg_reload_conf()',
      ),
  }))

test('while others have all of its connections nothing is lost', async () => {
  const others: pg.Client[] = []
  await keptThrough({
    name: 'Postgres has no connection free for 4 s',
    strike: async () => {
      await takeAll(others)
      await pause(lastsMs)
      expect(await sessionsOfCollectors(others)).toBe(0)
    },
    mend: () => Promise.all(others.map((client) => client.end())),
  })
})

test('while each transaction takes longer than a message may be unacknowledged nothing is lost', () =>
  keptThrough({
    name: 'Postgres takes 3 s for each insert',
    strike: async () => {
      await inDatabase(
        `create function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(3); return null; end $$`,
        'create trigger slowly before insert on deaths for each statement execute function slowly()',
      )
      await pause(2 * lastsMs)
    },
    mend: () => inDatabase('drop trigger slowly on deaths', 'drop function slowly()'),
  }))

test('while somebody holds a lock on a table nothing is lost', async () => {
  const other = new pg.Client({ connectionString: scene.databaseUrl })
  await other.connect()
  await keptThrough({
    name: 'a table of Postgres is locked for 4 s',
    strike: async () => {
      await other.query('begin')
      await other.query('lock table hosts in access exclusive mode')
      await pause(lastsMs)
    },
    mend: async () => {
      await other.query('commit')
      await other.end()
    },
  })
})

test('while sessions are ended again and again nothing is lost', () =>
  keptThrough({
    name: 'sessions of Postgres end every 0.1 s for 4 s',
    strike: async () => {
      for (const untilMs = Date.now() + lastsMs; Date.now() < untilMs; await pause(100)) await govern(endSessions)
    },
    mend: async () => undefined,
  }))

test('while Postgres is restarted in order nothing is lost', () =>
  keptThrough({
    name: 'Postgres is stopped in order for 2 s',
    strike: async () => {
      await scene.postgres.stop()
      await pause(lastsMs / 2)
    },
    mend: () => scene.postgres.start(),
  }))

/** Takes every connection, those of the collectors too. */
async function takeAll(taken: pg.Client[]): Promise<void> {
  for (const deadlineMs = Date.now() + 20_000; Date.now() < deadlineMs; ) {
    const client = new pg.Client({ connectionString: scene.postgres.url })
    client.on('error', () => {})
    try {
      await client.connect()
      taken.push(client)
    } catch (error) {
      if ((error as { code?: string }).code !== '53300') throw error
      if ((await sessionsOfCollectors(taken)) === 0) return
      await taken[0]?.query(endSessions)
    }
  }
  throw new Error('expected to take all connections of Postgres')
}

async function sessionsOfCollectors([client]: readonly pg.Client[]): Promise<number> {
  const found = await client?.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where application_name = 'whokilled-collector'`,
  )
  return found?.rows[0]?.count ?? Number.NaN
}
