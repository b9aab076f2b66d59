/**
 * How fast a host sends what has gathered while NATS was away: events of about 600 bytes, signals, deaths and notes of
 * coverage in turns, from the spool into a stream on disk. Beside it, on the same server: publishing alone, the same
 * messages from memory; the same backlog in the strict order of its events; and at the agent's default pace. Then what
 * memory an agent takes with a full spool.
 *
 *     npm run bench -- backlog [events] [events of the full spool]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { Settings } from '@whokilled/agent/config'
import { Spool } from '@whokilled/agent/spool/spool'
import type { SpooledEvent } from '@whokilled/agent/spool/spooled-value'
import { Connection } from '@whokilled/agent/wire/connection'
import { grouped, type Message, messageBytesMax, neighbours } from '@whokilled/agent/wire/messages'
import { Publisher } from '@whokilled/agent/wire/publish'
import type { Event } from '@whokilled/shared/event'
import { allSubjects, eventSubject, streamName } from '@whokilled/shared/subjects'
import { startNats } from '../test/servers/nats.ts'
import { fullSpool, type Resident } from './full-spool.ts'
import { mixedEvent } from './mixed-events.ts'

const eventCount = Number(process.argv[2] ?? 1_000_000)
const spoolEventsMax = Number(process.argv[3] ?? 500_000)
const pacedCount = Math.min(eventCount, 20_000)
const eventsPerSecondMax = Settings.parse({}).publish.eventsPerSecondMax ?? undefined
const hostName = 'web-3'
const windowMessages = 64

await using nats = await startNats()
const client = await connect({ servers: nats.url })
const manager = await jetstreamManager(client)
const folder = await mkdtemp(join(tmpdir(), 'whokilled-backlog-'))

let bytes = 0
const spool = await Spool.open({ folder, eventsMax: 2 * eventCount, bytesMax: 2 ** 40 })
const fillSeconds = await secondsOf(() => fill(0, eventCount))
const { seconds: drainSeconds, messages } = await drained(undefined, eventCount)
const alone = async (cut: typeof grouped) => {
  const { sent, seconds } = await published(cut, Math.min(eventCount, 200_000))
  return sent / seconds
}
const aloneRate = await alone(grouped)
const orderedRate = await alone(neighbours)
await fill(0, pacedCount)
const { seconds: pacedSeconds } = await drained(eventsPerSecondMax, pacedCount)
await spool.close()
await rm(folder, { recursive: true })
await client.close()

const drainRate = eventCount / drainSeconds
const ratio = (rate: number) => Math.round((100 * rate) / aloneRate) / 100
console.log(`${eventCount} events of ${Math.round(bytes / (eventCount + pacedCount))} bytes`)
console.log(`into the spool               ${whole(eventCount / fillSeconds)} events/s`)
console.log(`publishing alone             ${whole(aloneRate)} events/s`)
console.log(`the same in strict order     ${whole(orderedRate)} events/s, ${ratio(orderedRate)} of it`)
console.log(
  `out of the spool, published  ${whole(drainRate)} events/s, ${ratio(drainRate)} of it, in ${messages} messages`,
)
console.log(`by default                   ${whole(pacedCount / pacedSeconds)} events/s`)
const memory = await fullSpool(spoolEventsMax)
const told = ({ all, files }: Resident) => `${all} MB (${files} of it mapped files)`
console.log(`an agent that decides ${spoolEventsMax} deaths with NATS there: ${told(memory.without)}`)
console.log(`without NATS, while its spool fills: ${told(memory.filling)}`)
console.log(
  `full, ${memory.events} events, ${memory.megabytes} MB, ${memory.dropped} dropped: ${told(memory.full)}; while it is drained: ${told(memory.draining)}`,
)
console.log(
  JSON.stringify({
    benchmark: 'backlog',
    events: eventCount,
    fillPerSecond: whole(eventCount / fillSeconds),
    alonePerSecond: whole(aloneRate),
    orderedPerSecond: whole(orderedRate),
    drainPerSecond: whole(drainRate),
    drainRatio: ratio(drainRate),
    defaultPerSecond: whole(pacedCount / pacedSeconds),
    memory,
  }),
)

async function fill(from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, to - at) }, (_, index) => mixedEvent(at + index))
    const kept = await Promise.all(
      batch.map((event) => {
        const json = JSON.stringify(event)
        bytes += json.length
        return spool.append(json, event)
      }),
    )
    if (kept.includes(false)) throw new Error('expected the spool to keep every event')
  }
}

/** What waits in the spool goes into an empty stream. */
async function drained(perSecond: number | undefined, events: number) {
  await emptyStream()
  const connection = new Connection({ url: nats.url, hostName })
  const publisher = new Publisher(spool, { connection, hostName, eventsPerSecondMax: perSecond }, (error) => {
    throw error
  })
  const began = performance.now()
  const running = publisher.run()
  while (spool.length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const seconds = (performance.now() - began) / 1_000
  await publisher.stop(0)
  await running
  const { published, messages } = publisher.counters
  if (published !== events) throw new Error(`expected ${events} events published, got ${published}`)
  return { seconds, messages }
}

/** Publishes from memory, a window after the other as the agent does. */
async function published(cut: typeof grouped, count: number) {
  await emptyStream()
  const stream = jetstream(client)
  const windows: Message[][] = []
  for (let at = 0; at < count; at += 2_000) {
    const events = Array.from({ length: 2_000 }, (_, index) => asRead(mixedEvent(at + index)))
    const messages = cut(events, messageBytesMax)
    for (let from = 0; from < messages.length; from += windowMessages) {
      windows.push(messages.slice(from, from + windowMessages))
    }
  }
  const seconds = await secondsOf(async () => {
    for (const window of windows) {
      await Promise.all(
        window.map(({ type, id, body }) => stream.publish(eventSubject(hostName, type), body, { msgID: id })),
      )
    }
  })
  return { sent: count, seconds }
}

async function emptyStream(): Promise<void> {
  await manager.streams.delete(streamName).catch(() => false)
  await manager.streams.add({ name: streamName, subjects: [allSubjects] })
}

function asRead(event: Event): SpooledEvent {
  const json = JSON.stringify(event)
  return { id: event.id, type: event.type, key: '', json, bytes: json.length }
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1_000
}

function whole(value: number): number {
  return Math.round(value)
}
