import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiscardPolicy, jetstreamManager, type StreamConfig } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { CodedError } from '@whokilled/shared/coded-error'
import type { Event } from '@whokilled/shared/event'
import { allSubjects, streamName } from '@whokilled/shared/subjects'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aProcess, coverageEvent, deathEvent, signalEvent } from '../../../test/events.ts'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { Spool } from '../src/spool/spool.ts'
import { SpoolSink } from '../src/spool/spool-sink.ts'
import { Connection } from '../src/wire/connection.ts'
import { Publisher } from '../src/wire/publish.ts'

let folder = ''
let spool: Spool
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-refused-'))
  spool = await Spool.open({ folder: join(folder, 'spool'), eventsMax: 100_000 })
})
afterEach(async () => {
  await spool.close()
  await rm(folder, { recursive: true })
})

/** A server where web may publish what it is let, and admin all. */
const serverThatLets = (publish: readonly string[], settings = '') =>
  startNats([], { configure: () => configuration(publish, settings) })

const configuration = (publish: readonly string[], settings = '') => `${settings}
  authorization { users: [
    { user: admin, password: admin }
    { user: web, password: web, permissions: { publish: ${JSON.stringify(publish)}, subscribe: ["whokilled.inbox.host.web-3.>"] } }
  ] }`

const everything = ['whokilled.v1.web-3.>']
const deathsAlone = ['whokilled.v1.web-3.death', 'whokilled.v1.web-3.coverage']
const asAdmin = (nats: NatsServer) => connect({ servers: nats.url, user: 'admin', pass: 'admin' })

async function addStream(client: NatsConnection, config: Partial<StreamConfig> = {}): Promise<void> {
  const manager = await jetstreamManager(client)
  await manager.streams.add({ name: streamName, subjects: [allSubjects], ...config })
}

async function streamed(client: NatsConnection): Promise<{ events: Event[]; sizes: number[] }> {
  const manager = await jetstreamManager(client)
  const { state } = await manager.streams.info(streamName)
  const texts: string[] = []
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
    texts.push((await manager.streams.getMessage(streamName, { seq }))?.string() ?? '')
  }
  const events = texts.flatMap((text) => text.split('\n').map((line) => JSON.parse(line) as Event))
  return { events, sizes: texts.map((text) => Buffer.byteLength(text)) }
}

function publishing(nats: NatsServer, heldMs = 500) {
  const failures: CodedError[] = []
  let recovered = 0
  const connection = new Connection({ url: nats.url.replace('//', '//web:web@'), hostName: 'web-3' })
  const options = {
    connection,
    hostName: 'web-3',
    hostId: deathEvent().host.id,
    retryMs: 20,
    heldMs,
    onRecovered: () => (recovered += 1),
  }
  const publisher = new Publisher(spool, options, (error) => failures.push(error))
  const running = publisher.run()
  return {
    publisher,
    codes: () => new Set(failures.map(({ code }) => code)),
    recovered: () => recovered,
    async [Symbol.asyncDispose]() {
      await publisher.stop(0)
      await running
    },
  }
}

async function append(events: readonly Event[]): Promise<void> {
  // As an agent writes it: version, id and host first.
  const jsonOf = ({ v, id, host, ...rest }: Event) => JSON.stringify({ v, id, host, ...rest })
  const kept = await Promise.all(events.map((event) => spool.append(jsonOf(event), event)))
  expect(kept).not.toContain(false)
}

const agent = (seq: number) => ({ version: '1', probe: 'replay', runId: 'run', seq })
const seqsOf = (events: readonly Event[]) => events.map((event) => event.agent.seq)
const long = (seq: number, characters: number) =>
  deathEvent({ agent: agent(seq), victim: aProcess({ args: ['x'.repeat(characters)] }) })
const emptied = () => expect.poll(() => spool.length, { timeout: 30_000 }).toBe(0)

describe('what the server refuses', () => {
  it('a message that is too large for its max_payload was never made: arguments are cut to fit', async () => {
    await using nats = await serverThatLets(everything, 'max_payload: 8192')
    const client = await asAdmin(nats)
    await addStream(client)
    await append([deathEvent({ agent: agent(1) }), long(2, 20_000), ...[3, 4, 5, 6].map((seq) => long(seq, 1_000))])
    await using running = publishing(nats)
    await emptied()
    const { events, sizes } = await streamed(client)
    expect(seqsOf(events)).toEqual([1, 2, 3, 4, 5, 6])
    expect(events[1]).toMatchObject({ victim: { argsTruncated: true } })
    expect(Math.max(...sizes)).toBeLessThan(8_192)
    expect(running.publisher.counters).toMatchObject({ failures: 0, givenUp: 0, published: 6 })
    await client.close()
  })

  it('a message that is too large for the stream is halved, then cut, then given up and told as a gap', async () => {
    await using nats = await serverThatLets(everything)
    const client = await asAdmin(nats)
    const bare = Buffer.byteLength(JSON.stringify(deathEvent({ agent: agent(1) })))
    await addStream(client, { max_msg_size: bare + 400 })
    const reasons = Array.from({ length: 90 }, (_, index) => `reason ${index} ${'x'.repeat(50)}`)
    const hopeless = deathEvent({ agent: agent(5) })
    const tooMuch = { ...hopeless, verdict: { ...hopeless.verdict, reasons } }
    await append([1, 2, 3].map((seq) => deathEvent({ agent: agent(seq) })))
    await append([long(4, 9_000), tooMuch, deathEvent({ agent: agent(6) }), coverageEvent({ agent: agent(7) })])
    await using running = publishing(nats)
    await emptied()
    const { events } = await streamed(client)
    expect(seqsOf(events).sort()).toEqual([1, 2, 3, 4, 6, 7])
    expect(running.publisher.counters).toMatchObject({ givenUp: 1, published: 6 })
    expect(running.codes()).toEqual(new Set(['nats-too-large']))
    const gap = new SpoolSink(spool).takeDropped()
    expect(gap).toMatchObject({ count: 1, since: tooMuch.at })
    expect(gap?.reason).toContain('1 death refused by NATS because of their size')
    await client.close()
  })

  it('what was made under a former name goes under the name of now, where the key opens that alone', async () => {
    await using nats = await serverThatLets(everything)
    const client = await asAdmin(nats)
    await addStream(client)
    const { host } = deathEvent()
    const former = { ...host, name: 'web-old' }
    const cloned = { ...former, id: 'host-web-old' }
    await append([1, 2].map((seq) => deathEvent({ host: former, agent: agent(seq) })))
    await append([deathEvent({ agent: agent(3) }), deathEvent({ host: cloned, agent: agent(4) })])
    await using running = publishing(nats)
    await emptied()
    const { events } = await streamed(client)
    const names = new Map(events.map((event) => [event.agent.seq, event.host.name]))
    // Another host's, whose disk this one was cloned from, is not told as this one's.
    expect(names).toEqual(
      new Map([
        [3, 'web-3'],
        [1, 'web-3'],
        [2, 'web-3'],
        [4, 'web-old'],
      ]),
    )
    expect(running.publisher.counters).toMatchObject({ published: 4, failures: 0 })
    await client.close()
  })

  it('a type that this host may not publish waits, the others go on; it follows when it may', async () => {
    await using nats = await serverThatLets(deathsAlone)
    const client = await asAdmin(nats)
    await addStream(client)
    const story = Array.from({ length: 60 }, (_, index) =>
      index % 2 === 0 ? signalEvent({ agent: agent(index) }) : deathEvent({ agent: agent(index) }),
    )
    await append(story)
    await using running = publishing(nats)
    await expect.poll(() => spool.length).toBe(30)
    expect(new Set((await streamed(client)).events.map(({ type }) => type))).toEqual(new Set(['death']))
    expect(running.codes()).toEqual(new Set(['nats-forbidden']))
    await append([coverageEvent({ agent: agent(60) }), deathEvent({ agent: agent(61) })])
    await expect.poll(() => spool.length).toBe(30)
    expect(running.publisher.counters.refusals['not-permitted']).toBeLessThan(20)
    const file = join(nats.folder, 'nats.conf')
    await writeFile(file, (await readFile(file, 'utf8')).replace(configuration(deathsAlone), configuration(everything)))
    await nats.reload()
    await emptied()
    const { events } = await streamed(client)
    expect(seqsOf(events.filter(({ type }) => type === 'signal'))).toEqual(
      seqsOf(story.filter(({ type }) => type === 'signal')),
    )
    expect(events).toHaveLength(62)
    await client.close()
  })

  it("a login that is another host's is called that, and everything waits", async () => {
    await using nats = await startNats([], {
      configure: () => configuration(everything).replace('inbox.host.web-3', 'inbox.host.web-4'),
    })
    const client = await asAdmin(nats)
    await addStream(client)
    await append([deathEvent({ agent: agent(1) })])
    await using running = publishing(nats)
    await expect.poll(() => [...running.codes()]).toEqual(['nats-forbidden'])
    expect(spool.length).toBe(1)
    expect(running.recovered()).toBe(0)
    await client.close()
  })

  it('all messages while the stream is full, or missing, or sealed: they wait, and nothing is lost', async () => {
    await using nats = await serverThatLets(everything)
    const client = await asAdmin(nats)
    const manager = await jetstreamManager(client)
    const story = Array.from({ length: 300 }, (_, index) => deathEvent({ agent: agent(index + 1) }))
    await append(story)
    await using running = publishing(nats)
    await expect.poll(() => [...running.codes()]).toContain('nats-no-answer')
    await addStream(client, { max_bytes: 300_000, discard: DiscardPolicy.New })
    await expect.poll(() => [...running.codes()]).toContain('nats-full')
    expect(spool.length).toBeGreaterThan(100)
    const { state } = await manager.streams.info(streamName)
    expect(state.messages).toBeGreaterThan(0)
    await manager.streams.update(streamName, { max_bytes: -1 })
    await emptied()
    expect(running.recovered()).toBeGreaterThan(0)
    // A small message may have found room that a larger one before it did not.
    expect(seqsOf((await streamed(client)).events).sort((one, other) => one - other)).toEqual(seqsOf(story))
    await manager.streams.update(streamName, { sealed: true } as Partial<StreamConfig>)
    await append([deathEvent({ agent: agent(301) })])
    await expect.poll(() => [...running.codes()]).toContain('nats-other')
    expect(spool.length).toBe(1)
    expect(running.publisher.counters).toMatchObject({ givenUp: 0, published: 300 })
    await client.close()
  })
})

describe('a backlog', () => {
  it('goes in large messages, deaths first of what is sent at once; each type keeps its order', async () => {
    await using nats = await serverThatLets(everything)
    const client = await asAdmin(nats)
    await addStream(client)
    const make = [signalEvent, deathEvent, coverageEvent]
    const story = Array.from({ length: 3_000 }, (_, index) => make[index % 3]?.({ agent: agent(index + 1) }) as Event)
    await append(story)
    await using running = publishing(nats)
    await emptied()
    const { events } = await streamed(client)
    for (const type of ['signal', 'death', 'coverage']) {
      expect(seqsOf(events.filter((event) => event.type === type))).toEqual(
        seqsOf(story.filter((event) => event.type === type)),
      )
    }
    expect(running.publisher.counters.messages).toBeLessThan(200)
    // What says until when the host was watched never comes before a death of that time, nor before a signal.
    const watchedAt = events.findIndex(({ type }) => type === 'coverage')
    const first = events.slice(0, watchedAt)
    const watched = events[watchedAt]?.agent.seq ?? 0
    expect(seqsOf(first)).toEqual(
      expect.arrayContaining(seqsOf(story.slice(0, watched - 1).filter(({ type }) => type !== 'coverage'))),
    )
    await client.close()
  })

  it('is sent at the pace that is set, however much waits', async () => {
    await using nats = await serverThatLets(everything)
    const client = await asAdmin(nats)
    await addStream(client)
    await append(Array.from({ length: 600 }, (_, index) => signalEvent({ agent: agent(index + 1) })))
    const connection = new Connection({ url: nats.url.replace('//', '//web:web@'), hostName: 'web-3' })
    const publisher = new Publisher(spool, { connection, hostName: 'web-3', eventsPerSecondMax: 200 }, () => undefined)
    const running = publisher.run()
    await emptied()
    // A second's worth goes at once, the rest is held back for two more.
    expect(publisher.pace.counters.held).toBeGreaterThan(5)
    expect(publisher.pace.counters.heldMs).toBeGreaterThan(1_000)
    await publisher.stop(0)
    await running
    await client.close()
  })
})
