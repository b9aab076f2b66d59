import { connect, type NatsConnection } from '@nats-io/transport-node'
import { ClockAnswer } from '@whokilled/shared/clock-offset'
import type { ClockReading } from '@whokilled/shared/event'
import { clockReply, clockSubject } from '@whokilled/shared/subjects'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { answerClockRequests } from '../src/clock/answer-requests.ts'
import type { FleetClock } from '../src/clock/fleet-clock.ts'
import { createMetrics } from '../src/metrics.ts'

/** A collector whose own clock is not the fleet's. On one machine they are the same, so it is told. */
const clock: { reading: ClockReading | null } = { reading: null }

let nats: NatsServer
let collector: NatsConnection
let host: NatsConnection
beforeAll(async () => {
  nats = await startNats()
  collector = await connect({ servers: nats.url })
  host = await connect({ servers: nats.url })
  answerClockRequests(collector, clock as FleetClock, createMetrics())
  await collector.flush()
})
afterAll(async () => {
  await host.close()
  await collector.close()
  await nats[Symbol.asyncDispose]()
})

const ask = (reply: string) => host.request(clockSubject('web-3'), '', { timeout: 500, noMux: true, reply })

test('the answer is the time of the fleet’s clock, and how far it may be wrong', async () => {
  clock.reading = { offsetMs: -3_600_000, uncertaintyMs: 7 }
  const before = Date.now()
  const answer = ClockAnswer.parse((await ask(clockReply('web-3', 'a'))).json())
  const after = Date.now()
  expect(answer.uncertaintyMs).toBe(7)
  expect(answer.atMs + 3_600_000).toBeGreaterThanOrEqual(before)
  expect(answer.atMs + 3_600_000).toBeLessThanOrEqual(after)
})

test('a collector that does not know it answers nothing', async () => {
  clock.reading = null
  await expect(ask(clockReply('web-3', 'b'))).rejects.toThrow()
})

test.each([
  ['another host’s inbox', clockReply('web-4', 'c')],
  ['the inbox of one whose name begins as its own', clockReply('web-33', 'd')],
  ['a place where no answers go', 'whokilled.v1.web-4.death'],
])('a host cannot have the answer put into %s', async (_what, reply) => {
  clock.reading = { offsetMs: 0, uncertaintyMs: 1 }
  await expect(ask(reply)).rejects.toThrow()
  await expect(ask(clockReply('web-3', 'e'))).resolves.toBeDefined()
})
