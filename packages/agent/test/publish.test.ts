import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiscardPolicy, jetstreamManager, RetentionPolicy, type StoredMsg } from '@nats-io/jetstream'
import { connect, nanos } from '@nats-io/transport-node'
import type { Event } from '@whokilled/shared/event'
import { allSubjects, parseSubject, streamName } from '@whokilled/shared/subjects'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aProcess, coverageEvent, deathEvent, signalEvent } from '../../../test/events.ts'
import { freePort } from '../../../test/servers/free-port.ts'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { Spool } from '../src/spool/spool.ts'
import { Connection } from '../src/wire/connection.ts'
import { Publisher, type Waiting } from '../src/wire/publish.ts'

let folder = ''
let spool: Spool
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-publish-'))
  spool = await Spool.open({ folder, eventsMax: 100_000 })
})
afterEach(async () => {
  await spool.close()
  await rm(folder, { recursive: true })
})

/** A publisher that runs until the end of its block. */
function publishing(url: string, hostName = 'web-3') {
  const failures: Error[] = []
  const connection = new Connection({ url, hostName })
  const publisher = new Publisher(spool, { connection, hostName, retryMs: 20 }, (error) => failures.push(error))
  const running = publisher.run()
  const stop = async (graceMs = 0) => {
    await publisher.stop(graceMs)
    await running
  }
  return { publisher, connection, failures, stop, [Symbol.asyncDispose]: stop }
}

async function addStream(url: string): Promise<void> {
  const connection = await connect({ servers: url })
  const manager = await jetstreamManager(connection)
  await manager.streams.add({
    name: streamName,
    subjects: [allSubjects],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    duplicate_window: nanos(120_000),
  })
  await connection.close()
}

/** All messages of the stream, oldest first. */
async function messagesIn(url: string): Promise<StoredMsg[]> {
  const connection = await connect({ servers: url })
  try {
    const manager = await jetstreamManager(connection)
    const { state } = await manager.streams.info(streamName)
    const messages: StoredMsg[] = []
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await manager.streams.getMessage(streamName, { seq })
      if (message !== null) messages.push(message)
    }
    return messages
  } finally {
    await connection.close()
  }
}

const eventsOf = (messages: readonly StoredMsg[]) =>
  messages.flatMap((message) =>
    message
      .string()
      .split('\n')
      .map((line) => JSON.parse(line) as Event),
  )
/** One type after the other, each in its order: that is kept also where many wait. */
const idsByType = (events: readonly Event[]) =>
  ['death', 'signal', 'coverage'].flatMap((type) => idsOf(events.filter((event) => event.type === type)))
const idsOf = (events: readonly Event[]) => events.map(({ id }) => id)

/** Different events, deaths and signals in turns of nine and four. */
function manyEvents(count: number): Event[] {
  return Array.from({ length: count }, (_, index) => {
    const agent = { version: '1', probe: 'replay', runId: 'run', seq: index + 1 }
    return index % 13 < 9 ? deathEvent({ agent }) : signalEvent({ agent })
  })
}

async function append(events: readonly Event[]): Promise<void> {
  const kept = await Promise.all(events.map((event) => spool.append(JSON.stringify(event))))
  expect(kept).not.toContain(false)
}

const emptied = () => expect.poll(() => spool.length, { timeout: 30_000 }).toBe(0)

describe('the publisher', () => {
  it('what was made under a former name goes under that name, where the server takes it', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    const { host } = deathEvent()
    const names = ['web-old', 'web-old', 'web.old "x"', 'web-3']
    for (const [seq, name] of names.entries()) {
      const event = deathEvent({ host: { ...host, name }, agent: { version: '1', probe: 'replay', runId: 'r', seq } })
      const { v, id, host: then, ...rest } = event
      await spool.append(JSON.stringify({ v, id, host: then, ...rest }), event)
    }
    await using _ = publishing(nats.url)
    await expect.poll(() => spool.length).toBe(0)
    const messages = await messagesIn(nats.url)
    const told = messages.flatMap((message) => {
      const inSubject = parseSubject(message.subject)?.hostName
      return eventsOf([message]).map((event) => [event.host.name, inSubject])
    })
    expect(told.sort()).toEqual(names.map((name) => [name, name]).sort())
  })

  it('puts neighbours of one type into one message, in order, under the id of the first and their count', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    const events = [deathEvent(), deathEvent({ incidentId: '2' }), coverageEvent(), deathEvent({ incidentId: '4' })]
    await append(events)
    await using running = publishing(nats.url, 'web.example.org')
    await emptied()
    const messages = await messagesIn(nats.url)
    expect(messages.map(({ subject }) => subject)).toEqual([
      'whokilled.v1.web%2Eexample%2Eorg.death',
      'whokilled.v1.web%2Eexample%2Eorg.coverage',
      'whokilled.v1.web%2Eexample%2Eorg.death',
    ])
    expect(parseSubject(messages[0]?.subject ?? '')?.hostName).toBe('web.example.org')
    expect(messages.map(({ header }) => header.get('Nats-Msg-Id'))).toEqual([
      `${events[0]?.id}:2`,
      `${events[2]?.id}:1`,
      `${events[3]?.id}:1`,
    ])
    expect(eventsOf(messages)).toEqual(events)
    expect(running.publisher.counters).toMatchObject({ published: 4, messages: 3, failures: 0, givenUp: 0 })
  })

  it('keeps messages small enough for a server with its usual limit', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    const victim = aProcess({ args: ['数'.repeat(80_000)] })
    const large = Array.from({ length: 9 }, (_, index) => deathEvent({ incidentId: String(index), victim }))
    const small = Array.from({ length: 150 }, (_, index) => coverageEvent({ reason: String(index) }))
    const events = [...large, ...small]
    await append(events)
    await using _running = publishing(nats.url)
    await emptied()
    const messages = await messagesIn(nats.url)
    expect(idsOf(eventsOf(messages))).toEqual(idsOf(events))
    expect(Math.max(...messages.map(({ data }) => data.length))).toBeLessThan(300_000)
    expect(Math.max(...messages.map((message) => message.string().split('\n').length))).toBe(100)
  })

  it('has no more than 64 messages on their way', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    const events = Array.from({ length: 200 }, (_, index) => {
      const agent = { version: '1', probe: 'replay', runId: 'run', seq: index + 1 }
      return index % 2 === 0 ? deathEvent({ agent }) : signalEvent({ agent })
    })
    await append(events)
    const acknowledged: number[] = []
    const watched: Waiting = {
      get length() {
        return spool.length
      },
      read: (...args) => spool.read(...args),
      remove(window, cause) {
        acknowledged.push(window.length)
        return spool.remove(window, cause)
      },
    }
    const connection = new Connection({ url: nats.url, hostName: 'web-3' })
    const publisher = new Publisher(watched, { connection, hostName: 'web-3' }, () => undefined)
    const running = publisher.run()
    await emptied()
    await publisher.stop(0)
    await running
    expect(eventsOf(await messagesIn(nats.url))).toEqual(events)
    expect(Math.max(...acknowledged)).toBe(64)
  })

  it('waits for a server that is not there yet', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    await nats.stop()
    const events = manyEvents(300)
    await append(events)
    await using running = publishing(nats.url)
    await expect.poll(() => running.failures.length).toBeGreaterThan(2)
    expect(running.connection.isConnected).toBe(false)
    expect(spool.length).toBe(300)
    await nats.start()
    await emptied()
    expect(idsByType(eventsOf(await messagesIn(nats.url)))).toEqual(idsByType(events))
  })

  it('waits for a stream that is not there yet', async () => {
    await using nats = await startNats()
    const events = manyEvents(30)
    await append(events)
    await using running = publishing(nats.url)
    await expect.poll(() => running.failures.length).toBeGreaterThan(2)
    expect(running.publisher.counters).toMatchObject({ published: 0 })
    await addStream(nats.url)
    await emptied()
    // The stream may come to be between two messages of one window: then the later one is stored first.
    expect(idsOf(eventsOf(await messagesIn(nats.url))).sort()).toEqual(idsOf(events).sort())
  })

  it('loses nothing, repeats nothing and keeps the order of each type when the server is killed in the middle, twice', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    const events = manyEvents(5_000)
    await using running = publishing(nats.url)
    const feeding = feed(events)
    for (const published of [800, 2_500]) {
      await expect.poll(() => running.publisher.counters.published, { interval: 1 }).toBeGreaterThan(published)
      await nats.kill()
      await expect.poll(() => running.connection.isConnected).toBe(false)
      await nats.start()
    }
    await feeding
    await emptied()
    expect(idsByType(eventsOf(await messagesIn(nats.url)))).toEqual(idsByType(events))
    expect(running.publisher.counters).toMatchObject({ published: 5_000 })
    expect(running.publisher.counters.failures).toBeGreaterThan(0)
  })

  it('repeats what was not acknowledged as the same messages, which the server recognises', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    await using relay = await startRelay(nats)
    await append([deathEvent({ incidentId: '1' })])
    relay.swallowAnswers = true
    await using running = publishing(relay.url)
    await expect.poll(() => messagesIn(nats.url)).toHaveLength(1)
    await append([deathEvent({ incidentId: '2' }), deathEvent({ incidentId: '3' })])
    relay.swallowAnswers = false
    relay.hangUp()
    await emptied()
    const incidents = eventsOf(await messagesIn(nats.url)).map((event) => event.type === 'death' && event.incidentId)
    expect(incidents).toEqual(['1', '2', '3'])
    expect(running.publisher.counters.published).toBe(3)
  })

  it('logs in with the name and password in the URL, and says so where they are wrong', async () => {
    await using nats = await startNats(['--user', 'agent', '--pass', '7secret'])
    const withLogin = (login: string) => nats.url.replace('//', `//${login}@`)
    await append([deathEvent()])
    const wrong = publishing(withLogin('agent:7wrong'))
    await expect.poll(() => wrong.failures.length).toBeGreaterThan(0)
    await wrong.stop()
    expect(wrong.failures[0]?.message).toMatch(/authorization/i)
    expect(wrong.failures[0]?.message).not.toContain('7wrong')
    const right = publishing(withLogin('agent:7secret'))
    await expect.poll(() => right.connection.isConnected).toBe(true)
    await right.stop()
  })

  it('takes the next of several servers where the first is away', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    await append([deathEvent()])
    await using _running = publishing(`nats://127.0.0.1:${await freePort()}, ${nats.url}`)
    await emptied()
  })

  it('ends at once with nothing to do, and within its grace with something', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    for (let round = 0; round < 10; round += 1) {
      const running = publishing(nats.url)
      await append([deathEvent({ incidentId: String(round) })])
      await expect.poll(() => running.connection.isConnected).toBe(true)
      await running.stop(5_000)
      expect(spool.length).toBe(0)
    }
    await nats.stop()
    await append([deathEvent({ incidentId: 'late' })])
    await publishing(nats.url).stop(5_000)
    expect(spool.length).toBe(1)
  })

  it('tries once more at the end, however long it would have waited', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    await nats.stop()
    await append([deathEvent()])
    const failures: Error[] = []
    const connection = new Connection({ url: nats.url, hostName: 'web-3' })
    const options = { connection, hostName: 'web-3', retryMs: 3_600_000 }
    const publisher = new Publisher(spool, options, (error) => failures.push(error))
    const running = publisher.run()
    await expect.poll(() => failures.length).toBe(1)
    await nats.start()
    await publisher.stop(5_000)
    await running
    expect(spool.length).toBe(0)
  })

  it('ends although what listens there never answers', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    await append([deathEvent()])
    const running = publishing(`nats://127.0.0.1:${port}`)
    await running.stop(5_000)
    expect(spool.length).toBe(1)
    silent.close()
  })
})

async function feed(events: readonly Event[]): Promise<void> {
  for (let at = 0; at < events.length; at += 50) {
    await append(events.slice(at, at + 50))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Stands before a server, and can keep its answers to itself once a client is connected. */
async function startRelay(nats: NatsServer) {
  const sockets = new Set<Socket>()
  const relay = {
    url: '',
    swallowAnswers: false,
    hangUp() {
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      relay.hangUp()
      server.close()
    },
  }
  const server = createServer((client) => {
    const upstream = createConnection({ host: '127.0.0.1', port: nats.port })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (bytes) => {
      // MSG carries acknowledgements; INFO and PONG are left, so that the client stays connected.
      if (!relay.swallowAnswers || !bytes.toString('latin1').includes('MSG ')) client.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  relay.url = `nats://127.0.0.1:${(server.address() as { port: number }).port}`
  return relay
}
