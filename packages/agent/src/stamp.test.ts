import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { CoverageDraft } from './event-draft.ts'
import { EventStamp, eventId } from './stamp.ts'

const at = '2026-11-22T19:40:42.123456Z'
const host = { id: 'host-1', name: 'web-3', bootId: 'boot-1' }
const draft: CoverageDraft = {
  type: 'coverage',
  at,
  state: 'watching',
  from: at,
  to: at,
  reason: null,
  lostRecords: 0,
  key: 'watching\n1',
}

test('the id of an event is a UUIDv7 of its millisecond, whatever makes the event unique', () => {
  const moment = fc.date({ min: new Date(0), max: new Date('2999-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(moment, fc.string({ unit: 'binary' }), fc.string(), (date, key, secret) => {
      const id = eventId(`${date.toISOString().slice(0, -1)}999Z`, key, secret)
      expect(z.uuidv7().safeParse(id).success).toBe(true)
      expect(Number.parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(date.getTime())
    }),
  )
})

test('the same event has the same id again, another event, host, boot or secret another', () => {
  const id = (host: object, changes: object, secret = 'secret') =>
    new EventStamp({
      host: { id: 'host-1', name: 'web-3', bootId: 'boot-1', ...host },
      secret,
      version: '1',
    }).stamp({ ...draft, ...changes }, 'replay').id
  expect(id({}, {})).toBe(id({ name: 'renamed' }, { reason: 'in other words' }))
  const different = [
    id({}, {}),
    id({ id: 'host-2' }, {}),
    id({ bootId: 'boot-2' }, {}),
    id({}, { key: 'watching\n2' }),
    id({}, { type: 'death' }),
    id({}, { at: '2026-11-22T19:40:42.124456Z' }),
    id({}, {}, 'another secret'),
  ]
  expect(new Set(different).size).toBe(different.length)
})

test("an event says where it comes from, with the run's number, counted from 1 without holes", () => {
  const stamp = new EventStamp({ host, secret: 'secret', version: '1.2.3' })
  const events = [1, 2, 3].map((n) => stamp.stamp({ ...draft, key: String(n) }, 'bpftrace'))
  expect(events.map(({ agent }) => agent.seq)).toEqual([1, 2, 3])
  expect(events[0]).toMatchObject({ v: 1, host, agent: { version: '1.2.3', probe: 'bpftrace', runId: stamp.runId } })
  expect(events[0]).not.toHaveProperty('key')
  expect(new EventStamp({ host, secret: 'secret', version: '1' }).runId).not.toBe(stamp.runId)
})
