/**
 * Simulated hosts in a process of their own: each with its own key, connection, publisher and clock requests, which are
 * the agent's; what they publish is recorded. Started by fleet.ts, which it talks to over IPC.
 */
import { EventStamp } from '@whokilled/agent/stamp'
import { ClockRequests } from '@whokilled/agent/wire/clock-requests'
import { Connection } from '@whokilled/agent/wire/connection'
import { Publisher } from '@whokilled/agent/wire/publish'
import { ClockOffset, readClocks } from '@whokilled/shared/clock-offset'
import { Queue } from './queue.ts'
import { recordedEvents } from './recorded-events.ts'

/** What the process is told, as JSON in its first argument. */
export interface HostsTask {
  readonly natsUrl: string
  readonly hosts: readonly { readonly name: string; readonly seedFile: string }[]
}

/** What it is asked later: to make events for so long, each host so many a second. */
export interface HostsOrder {
  readonly seconds: number
  readonly eventsPerSecond: number
}

/** What it says: when all hosts are connected, and after each order how many events were made. */
export type HostsWord = { readonly connected: true } | { readonly made: number }

const coverageEveryMs = 30_000
const tickMs = 100

const { natsUrl, hosts } = JSON.parse(process.argv[2] ?? '') as HostsTask
const recorded = await recordedEvents()
const failures = new Map<string, number>()

const simulated = hosts.map(({ name, seedFile }, index) => {
  const offset = new ClockOffset()
  const stamp = new EventStamp({
    host: { id: `id-of-${name}`, name, bootId: 'boot' },
    secret: name,
    version: '0.1.0',
    clock: () => offset.at(readClocks()),
  })
  const connection = new Connection({ url: natsUrl, hostName: name, natsNkeyFile: seedFile })
  const queue = new Queue()
  const publisher = new Publisher(queue, { connection, hostName: name }, ({ code }) =>
    failures.set(code, (failures.get(code) ?? 0) + 1),
  )
  const clock = new ClockRequests({ connection, hostName: name, offset })
  const beganAt = timestamp()
  const stopping = new AbortController()
  return {
    stopping,
    stamp,
    connection,
    queue,
    publisher,
    clock,
    beganAt,
    made: 0,
    coverageDueMs: (index / hosts.length) * coverageEveryMs,
  }
})
type Simulated = (typeof simulated)[number]

for (const host of simulated) await host.connection.open()
const running = simulated.flatMap(({ publisher, clock, stopping }) => [publisher.run(), clock.run(stopping.signal)])
process.send?.({ connected: true } satisfies HostsWord)
process.once('disconnect', () => process.exit())
process.on('message', (order: HostsOrder | 'end') => void (order === 'end' ? end() : obey(order)))

async function obey({ seconds, eventsPerSecond }: HostsOrder): Promise<void> {
  const beganMs = performance.now()
  let made = 0
  for (;;) {
    const passedMs = performance.now() - beganMs
    if (passedMs >= seconds * 1_000) break
    const due = Math.floor((passedMs / 1_000) * eventsPerSecond * simulated.length)
    for (; made < due; made++) tell(simulated[made % simulated.length] as Simulated)
    for (const host of simulated) if (performance.now() >= host.coverageDueMs) cover(host)
    await new Promise((resolve) => setTimeout(resolve, tickMs))
  }
  // What was made is on its way until the queues are empty.
  while (simulated.some(({ queue }) => queue.length > 0)) await new Promise((resolve) => setTimeout(resolve, tickMs))
  const total = simulated.reduce((sum, host) => sum + host.made, 0)
  for (const [code, count] of failures) process.stderr.write(`hosts: ${code} ${count} times\n`)
  failures.clear()
  process.send?.({ made: total } satisfies HostsWord)
}

function tell(host: Simulated): void {
  const {
    v: _v,
    id: _id,
    host: _host,
    agent: _agent,
    clock: _clock,
    ...body
  } = recorded[host.made % recorded.length] as object & Record<string, unknown>
  host.made += 1
  host.queue.push(host.stamp.stamp({ ...body, at: timestamp(), key: String(host.made) } as never, 'systemtap'))
}

function cover(host: Simulated): void {
  host.coverageDueMs += coverageEveryMs
  const at = timestamp()
  const draft = {
    type: 'coverage',
    at,
    state: 'watching',
    from: host.beganAt,
    to: at,
    why: null,
    reason: null,
    lostRecords: 0,
  }
  host.made += 1
  host.queue.push(host.stamp.stamp({ ...draft, key: at } as never, 'systemtap'))
}

async function end(): Promise<void> {
  for (const { stopping } of simulated) stopping.abort()
  await Promise.all(simulated.map(({ publisher }) => publisher.stop(0)))
  await Promise.all(running)
  process.disconnect?.()
}

function timestamp(): string {
  return `${new Date().toISOString().slice(0, -1)}000Z`
}
