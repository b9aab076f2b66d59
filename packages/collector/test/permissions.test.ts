import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import {
  type Authenticator,
  connect,
  type NatsConnection,
  headers as natsHeaders,
  nkeyAuthenticator,
  nkeys,
} from '@nats-io/transport-node'
import {
  allClockReplies,
  allClockSubjects,
  allSubjects,
  clockReply,
  clockSubject,
  collectorInbox,
  eventSubject,
  hostInbox,
  streamName,
} from '@whokilled/shared/subjects'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deathEvent, messageOf } from '../../../test/events.ts'
import { loadConfig } from '../src/config.ts'
import { hostIdentity } from '../src/identity/identity.ts'
import { consumerName, nextSubject, openMessages } from '../src/ingest/stream.ts'
import { setUpStream } from '../src/ingest/stream-setup.ts'
import { validateMessage } from '../src/ingest/validate.ts'
import { type GuardedNats, startGuardedNats } from './guarded-nats.ts'
import { eventually } from './running.ts'

/** A few names that NATS would read as more than one host, were they written as they are. */
const hosts = ['web-3', 'web-3x', 'web-4', 'web.5', '>', '*', 'a.>', '%3E']

let guarded: GuardedNats
let admin: NatsConnection

beforeAll(async () => {
  guarded = await startGuardedNats(hosts)
  await setUpStream(configOf(guarded), { change: false })
  admin = await guarded.connect({ kind: 'admin' })
})
afterAll(async () => {
  await admin.close()
  await guarded[Symbol.asyncDispose]()
})

/** What NATS said no to while `attempt` was made and answered. */
async function refusals(
  connection: NatsConnection,
  attempt: (connection: NatsConnection) => unknown,
): Promise<string[]> {
  const told: string[] = []
  const status = connection.status()
  const listening = (async () => {
    for await (const each of status) if (each.type === 'error') told.push(each.error.message)
  })()
  attempt(connection)
  await connection.flush()
  // The server's errors come before its answer to the flush; they are handed on in the same turn.
  await new Promise((resolve) => setTimeout(resolve, 20))
  connection.close()
  await listening
  return told
}

const publish =
  (subject: string, body = '', reply?: string) =>
  (connection: NatsConnection) =>
    connection.publish(subject, body, reply === undefined ? {} : { reply })
const subscribe = (subject: string) => (connection: NatsConnection) =>
  connection.subscribe(subject, { callback: () => {} })

const api = (call: string) => `$JS.API.${call}`
/** What neither a host nor a collector may ask JetStream for. */
const streamCalls = [
  'INFO',
  'STREAM.NAMES',
  'STREAM.LIST',
  `STREAM.INFO.${streamName}`,
  `STREAM.CREATE.${streamName}`,
  'STREAM.CREATE.OTHER',
  `STREAM.UPDATE.${streamName}`,
  `STREAM.DELETE.${streamName}`,
  `STREAM.PURGE.${streamName}`,
  `STREAM.MSG.GET.${streamName}`,
  `STREAM.MSG.DELETE.${streamName}`,
  `DIRECT.GET.${streamName}`,
  `STREAM.SNAPSHOT.${streamName}`,
  `CONSUMER.CREATE.${streamName}`,
  `CONSUMER.CREATE.${streamName}.mine`,
  `CONSUMER.DURABLE.CREATE.${streamName}.mine`,
  `CONSUMER.INFO.${streamName}.${consumerName}`,
  `CONSUMER.DELETE.${streamName}.${consumerName}`,
  `CONSUMER.MSG.NEXT.${streamName}.other`,
].map(api)

describe('a host is refused', () => {
  const attempts = [
    ['to publish as another', publish(eventSubject('web-4', 'death'), '{}')],
    ['to publish as one whose name begins as its own', publish(eventSubject('web-3x', 'death'), '{}')],
    ['to publish under no name', publish('whokilled.v1.death', '{}')],
    ['to publish a later version as another', publish('whokilled.v2.web-4.death', '{}')],
    ['to ask for the time as another', publish(clockSubject('web-4'), '', clockReply('web-4', 'x'))],
    ["to put something into another's inbox", publish(`${hostInbox('web-4')}.x`)],
    ["to put something into a collector's inbox", publish(`${collectorInbox}.x.1`)],
    ["to read another's events", subscribe('whokilled.v1.web-4.>')],
    ['to read its own events', subscribe('whokilled.v1.web-3.>')],
    ['to read all events', subscribe(allSubjects)],
    ['to read everything', subscribe('>')],
    ['to read everything, in other words', subscribe('*.>')],
    ["to read another's inbox", subscribe(`${hostInbox('web-4')}.>`)],
    ["to read all hosts' inboxes", subscribe('whokilled.inbox.host.*.>')],
    ["to read the collectors' inbox", subscribe(`${collectorInbox}.>`)],
    ['to read usual inboxes', subscribe('_INBOX.>')],
    ["to hear all hosts' clock requests", subscribe(allClockSubjects)],
    ['to hear what JetStream is asked', subscribe('$JS.>')],
    ['to acknowledge for the collector', publish(`$JS.ACK.${streamName}.${consumerName}.1.1.1.1.1`, '+ACK')],
    ['to take the collector messages away', publish(nextSubject, '', `${hostInbox('web-3')}.x`)],
    ...streamCalls.map((call) => [`to call ${call}`, publish(call, '', `${hostInbox('web-3')}.x`)] as const),
  ] as const
  test.each(attempts)('%s', async (_what, attempt) => {
    expect(await refusals(await guarded.connect(hostIdentity('web-3')), attempt)).toEqual([
      expect.stringMatching(/permissions violation/i),
    ])
  })

  test.each(hosts.filter((name) => name !== 'web-4'))('as another by a name such as %s', async (name) => {
    const connection = () => guarded.connect(hostIdentity(name))
    const no = [expect.stringMatching(/permissions violation/i)]
    expect(await refusals(await connection(), publish(eventSubject('web-4', 'death')))).toEqual(no)
    expect(await refusals(await connection(), subscribe(`${hostInbox('web-4')}.>`))).toEqual(no)
    expect(await refusals(await connection(), publish(eventSubject(name, 'death')))).toEqual([])
    expect(await refusals(await connection(), subscribe(`${hostInbox(name)}.>`))).toEqual([])
  })
})

test('a host that has the server answer to a subject of JetStream itself changes nothing there', async () => {
  const before = await streamState()
  const host = await guarded.connect(hostIdentity('web-3'))
  const { subject, body } = messageOf([deathEvent()])
  const calls = ['STREAM.PURGE', 'STREAM.MSG.DELETE', 'STREAM.DELETE', 'STREAM.UPDATE', 'STREAM.LEADER.STEPDOWN']
  for (const call of calls) host.publish(subject, body, { reply: api(`${call}.${streamName}`) })
  for (const call of ['DELETE', 'LEADER.STEPDOWN', 'MSG.NEXT', 'CREATE', 'DURABLE.CREATE']) {
    host.publish(subject, body, { reply: api(`CONSUMER.${call}.${streamName}.${consumerName}`) })
  }
  await host.flush()
  await host.close()
  const published = calls.length + 5
  expect(await eventually(streamState, ({ messages }) => messages >= before.messages + published)).toMatchObject({
    messages: before.messages + published,
    first_seq: before.first_seq || 1,
    num_deleted: 0,
    consumer_count: 1,
  })
})

test('an acknowledgement that a host has NATS put under the subject of another is told as what it is', async () => {
  const { subject, body, id } = messageOf([deathEvent({ incidentId: 'twice' })])
  const others = eventSubject('web-4', 'signal')
  const host = await guarded.connect(hostIdentity('web-3'))
  // Told to JetStream the second time, so that both answers of it are seen.
  for (const msgID of [id, id]) {
    const headers = natsHeaders()
    headers.set('Nats-Msg-Id', msgID)
    host.publish(subject, body, { headers, reply: others })
  }
  await host.flush()
  await host.close()
  const manager = await jetstreamManager(admin, { checkAPI: false })
  const newest = () => manager.streams.getMessage(streamName, { last_by_subj: others })
  const found = await eventually(newest, (message) => message?.string().includes('duplicate') === true)
  const first = await manager.streams.getMessage(streamName, { seq: (found?.seq ?? 0) - 1 })
  for (const message of [first, found]) {
    const { seq = 0, data = new Uint8Array() } = message ?? {}
    const { events, deadLetters } = validateMessage({ subject: others, streamSeq: seq, data }, 1_000)
    expect(events).toEqual([])
    expect(deadLetters).toMatchObject([
      { reason: 'pub-ack', detail: expect.stringMatching(/message \d+ .* not come from web-4/), stamps: [] },
    ])
  }
})

describe('a collector', () => {
  const refused = [
    ['publish an event', publish(eventSubject('web-4', 'death'), '{}')],
    ['read events past the stream', subscribe(allSubjects)],
    ['read everything', subscribe('>')],
    ["read a host's inbox", subscribe(`${hostInbox('web-4')}.>`)],
    ["answer in NATS' place", publish(`${hostInbox('web-4')}.AbCdEf.1`, '{}')],
    ['ask for the time as a host', publish(clockSubject('web-4'))],
    ['acknowledge for another consumer', publish(`$JS.ACK.${streamName}.other.1.1.1.1.1`, '+ACK')],
    ...streamCalls.map((call) => [`call ${call}`, publish(call, '', `${collectorInbox}.x`)] as const),
  ] as const
  test.each(refused)('may not %s', async (_what, attempt) => {
    expect(await refusals(await guarded.connect({ kind: 'collector' }), attempt)).toEqual([
      expect.stringMatching(/permissions violation/i),
    ])
  })

  test('may take and acknowledge messages, and answer clock requests, with these rights alone', async () => {
    const host = await guarded.connect(hostIdentity('web-3'))
    const collector = await guarded.connect({ kind: 'collector' })
    const complaints: string[] = []
    void (async () => {
      for await (const each of collector.status()) if (each.type === 'error') complaints.push(each.error.message)
    })()
    collector.subscribe(allClockSubjects, {
      queue: 'collectors',
      callback: (_error, message) => void message.respond('42'),
    })
    await collector.flush()
    const answer = await host.request(clockSubject('web-3'), '', {
      noMux: true,
      reply: clockReply('web-3', 'x'),
      timeout: 5_000,
    })
    expect(answer.string()).toBe('42')

    const { subject, body, id } = messageOf([deathEvent()])
    const { seq } = await jetstream(host).publish(subject, body, { msgID: id })
    for await (const message of await openMessages(collector, configOf(guarded))) {
      message.ack()
      if (message.seq === seq) break
    }
    await collector.flush()
    const manager = await jetstreamManager(admin, { checkAPI: false })
    const unread = async () => {
      const { num_ack_pending, num_pending } = await manager.consumers.info(streamName, consumerName)
      return num_ack_pending + num_pending
    }
    expect(await eventually(unread, (count) => count === 0)).toBe(0)
    expect(complaints).toEqual([])
    await host.close()
    await collector.close()
  })

  test('may publish where answers to clock requests go', async () => {
    const place = allClockReplies.replaceAll('*', 'x')
    expect(await refusals(await guarded.connect({ kind: 'collector' }), publish(place))).toEqual([])
  })
})

describe('nobody connects', () => {
  const servers = () => guarded.nats.url
  const none = { reconnect: false }

  test('without a key', async () => {
    await expect(connect({ servers: servers(), ...none })).rejects.toThrow(/authorization violation/i)
  })

  test('with a name and password', async () => {
    await expect(connect({ servers: servers(), user: 'admin', pass: 'admin', ...none })).rejects.toThrow(
      /authorization/i,
    )
  })

  test('with a key that the server does not know', async () => {
    const authenticator = nkeyAuthenticator(nkeys.createUser().getSeed())
    await expect(connect({ servers: servers(), authenticator, ...none })).rejects.toThrow(/authorization/i)
  })

  test("with somebody's public key and another seed", async () => {
    const [key] = guarded.identities.list()
    const wrong = nkeyAuthenticator(nkeys.createUser().getSeed())
    const authenticator: Authenticator = (nonce) => ({ sig: '', ...wrong(nonce), nkey: key?.publicKey ?? '' })
    await expect(connect({ servers: servers(), authenticator, ...none })).rejects.toThrow(/authorization/i)
  })
})

async function streamState() {
  const manager = await jetstreamManager(admin, { checkAPI: false })
  const { state } = await manager.streams.info(streamName)
  const { messages, first_seq, num_deleted = 0, consumer_count } = state
  return { messages, first_seq, num_deleted, consumer_count }
}

function configOf({ nats, seedFile }: GuardedNats) {
  return loadConfig(undefined, {
    WHOKILLED_NATS_URL: nats.url,
    WHOKILLED_NATS_NKEY_FILE: seedFile({ kind: 'collector' }),
    WHOKILLED_NATS_ADMIN_NKEY_FILE: seedFile({ kind: 'admin' }),
    WHOKILLED_POSTGRES_URL: 'postgres://127.0.0.1:1/none',
  })
}
