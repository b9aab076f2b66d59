import { setTimeout as pause } from 'node:timers/promises'
import { expect, inject } from 'vitest'
import { type PostgresServer, type PostgresSettings, startPostgres } from '../servers/postgres.ts'
import { type CollectorProcess, startCollectorProcess } from './collector-process.ts'
import { drawUp, type Ledger, storedCount, storedIds } from './ledger.ts'
import { enter } from './ledger-book.ts'
import type { SenderSettings } from './sender.ts'
import { type SendingHost, sendingHost } from './sending-host.ts'

/** A fleet's middle, of real programs: Postgres and collectors side by side, at a NATS that the test has started. */
export interface Scene extends AsyncDisposable {
  readonly postgres: PostgresServer
  readonly databaseUrl: string
  readonly collectors: readonly CollectorProcess[]
  /** A host with a name of its own, whose agent sends. */
  host(settings?: Partial<Omit<SenderSettings, 'stateFolder' | 'said'>>): Promise<SendingHost>
}

export interface SceneOptions {
  readonly natsUrl: string
  readonly collectors?: number
  /** Over the collectors' own defaults, docs/store.md. */
  readonly settings?: object
  readonly postgresSettings?: PostgresSettings
}

/** Events a second of a host that is told nothing else. */
const perSecond = 300

/** Starts one. What was not acknowledged is delivered again after two seconds here, not after thirty. */
export async function startScene(options: SceneOptions): Promise<Scene> {
  const postgres = await startPostgres(options.postgresSettings)
  const databaseUrl = await postgres.createDatabase()
  const { natsUrl } = options
  const settings = { natsUrl, postgresUrl: databaseUrl, ackWaitSeconds: 2, ...options.settings }
  const collectors: CollectorProcess[] = []
  for (let count = 0; count < (options.collectors ?? 2); count += 1) {
    collectors.push(await startCollectorProcess(settings, { migrate: count === 0 }))
  }
  let hosts = 0
  return {
    postgres,
    databaseUrl,
    collectors,
    host: (more) => {
      hosts += 1
      return sendingHost({ natsUrl, hostName: `host-${hosts}`, perSecond, ...more })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(collectors.map((collector) => collector[Symbol.asyncDispose]()))
      await postgres[Symbol.asyncDispose]()
    },
  }
}

/** What happens to a scene while hosts send. */
export interface Fault {
  /** Its line in the ledger. */
  readonly name: string
  readonly hosts: readonly SendingHost[]
  /** Makes it, and lets it last. */
  readonly strike: () => Promise<unknown>
  /** Ends it. */
  readonly mend: () => Promise<unknown>
  /** Where events are lost: how long what is missing is waited for, milliseconds. */
  readonly lossyAfterMs?: number
  /** What else is to be told of it, once it is over. */
  readonly note?: () => string
}

/** How long anything is waited for, milliseconds: long, because the machine may be busy. */
const patienceMs = 60_000

/**
 * Lets the fault happen in the middle of the load, and waits until all that was accepted is stored. The load goes on
 * until what had been accepted by the end of the fault is. Gives the ledger, which it has entered into the book.
 */
export async function endure(scene: Scene, { name, hosts, strike, mend, lossyAfterMs, note }: Fault): Promise<Ledger> {
  const duplicatesBefore = await duplicates(scene)
  await flowing(scene, hosts)
  await strike()
  const endedMs = Date.now()
  await mend()
  const isWhole = await untilStored(scene, hosts, endedMs, lossyAfterMs)
  const recoveryMs = isWhole ? Date.now() - endedMs : null
  await pause(300)
  for (const host of hosts) host.rate(0)
  await untilStored(scene, hosts, Number.POSITIVE_INFINITY, lossyAfterMs)
  await Promise.all(hosts.map((host) => host.end()))
  await untilStored(scene, hosts, Number.POSITIVE_INFINITY, lossyAfterMs)
  const ledger = await drawUp(scene.databaseUrl, hosts, (await duplicates(scene)) - duplicatesBefore)
  enter(inject('ledgerBook'), { fault: name, ...ledger, recoveryMs, note: note?.() ?? null })
  return ledger
}

/** No event is stored twice, none that nobody made, and none is missing that nothing tells of. */
export function expectTold({ silent, twice, strangers }: Ledger): void {
  const [some, count] = [[silent, twice, strangers].map((ids) => ids.slice(0, 3)), silent.length]
  expect({ some, count }).toEqual({ some: [[], [], []], count: 0 })
}

/** Every accepted event is stored once, and nothing else. */
export function expectKept(ledger: Ledger): void {
  const { accepted, stored, lost, refused, gaps, holes } = ledger
  expectTold(ledger)
  expect({ lost, refused, gaps, holes }).toEqual({ lost: 0, refused: 0, gaps: 0, holes: 0 })
  expect(stored).toBe(accepted)
  expect(accepted).toBeGreaterThan(0)
}

/** Waits until events of each host arrive, so that the fault falls into the middle of them. */
export async function flowing(scene: Scene, hosts: readonly SendingHost[]): Promise<void> {
  for (const host of hosts) {
    const arrived = async () => (host.fates().size === 0 ? 0 : (await storedIds(scene.databaseUrl, [host.name])).size)
    await expect.poll(arrived, { timeout: patienceMs }).toBeGreaterThan(100)
  }
}

/** Waits until what was accepted before that time is in Postgres; false if it gave up: the ledger tells more then. */
async function untilStored(
  scene: Scene,
  hosts: readonly SendingHost[],
  beforeMs: number,
  delayMaxMs = patienceMs,
): Promise<boolean> {
  const names = hosts.map(({ name }) => name)
  for (const deadlineMs = Date.now() + delayMaxMs; Date.now() < deadlineMs; await pause(100)) {
    const wanted = hosts.flatMap((host) =>
      [...host.fates().values()].filter(({ acceptedMs }) => acceptedMs !== undefined && acceptedMs <= beforeMs),
    )
    // Counted first: to look at each one takes time that the others need.
    while (Date.now() < deadlineMs && (await storedCount(scene.databaseUrl, names)) < wanted.length) await pause(50)
    const stored = await storedIds(scene.databaseUrl, names).catch(() => undefined)
    if (stored !== undefined && wanted.every(({ id }) => stored.has(id))) return true
  }
  return false
}

async function duplicates({ collectors }: Scene): Promise<number> {
  const counts = await Promise.all(collectors.map((collector) => collector.count('whokilled_events_duplicate_total')))
  return counts.reduce((sum, count) => sum + count, 0)
}
