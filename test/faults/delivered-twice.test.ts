import { setTimeout as pause } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { streamName } from '@whokilled/shared/subjects'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { consumerName } from '../../packages/collector/src/ingest/stream.ts'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { endure, expectKept, type Scene, startScene } from './scene.ts'

/** What NATS may do by its contract: deliver anything again, at any time, to anybody. */

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

test('messages that are published again, as others, change nothing', async () => {
  await using host = await scene.host()
  const ledger = await endure(scene, {
    name: 'every message is published three times',
    hosts: [host],
    strike: async () => {
      await publishAgain('second')
      await publishAgain('third')
    },
    mend: async () => undefined,
  })
  expectKept(ledger)
  expect(ledger.duplicates).toBeGreaterThan(100)
})

test('messages that somebody refuses again and again are stored once by those who do not', async () => {
  await using host = await scene.host()
  let refused = 0
  const ledger = await endure(scene, {
    name: 'a third collector refuses messages for 4 s',
    hosts: [host],
    strike: async () => {
      refused = await refuse(4_000)
    },
    mend: async () => undefined,
  })
  expectKept(ledger)
  expect(refused).toBeGreaterThan(10)
})

/** Publishes all that is in the stream once more, with ids that NATS does not know. */
async function publishAgain(word: string): Promise<void> {
  const connection = await connect({ servers: nats.url })
  try {
    const manager = await jetstreamManager(connection)
    const { state } = await manager.streams.info(streamName)
    const stream = jetstream(connection)
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await manager.streams.getMessage(streamName, { seq })
      if (message !== null) await stream.publish(message.subject, message.data, { msgID: `${word}:${seq}` })
    }
  } finally {
    await connection.close()
  }
}

/** Takes messages for a while, as a collector does, and gives each back at once; how many. */
async function refuse(forMs: number): Promise<number> {
  const connection = await connect({ servers: nats.url })
  try {
    const consumer = await jetstream(connection).consumers.get(streamName, consumerName)
    const messages = await consumer.consume({ max_messages: 10 })
    let count = 0
    void pause(forMs).then(() => messages.stop())
    for await (const message of messages) {
      message.nak()
      count += 1
    }
    return count
  } finally {
    await connection.drain()
  }
}
