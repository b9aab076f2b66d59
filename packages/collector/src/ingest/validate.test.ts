import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deathEvent, messageOf } from '../../../../test/events.ts'
import { validateMessage } from './validate.ts'

const encoder = new TextEncoder()

test('each line is an event; empty lines and a missing last line feed do not matter', () => {
  const events = [deathEvent({ incidentId: 'a' }), deathEvent({ incidentId: 'b' })]
  const { subject, body } = messageOf(events as never)
  const { events: valid, deadLetters } = check(subject, `\n${body}\n\n`)
  expect(valid.map(({ event }) => event)).toEqual(events)
  expect(deadLetters).toEqual([])
})

test('the JSON is kept as it came', () => {
  const line = JSON.stringify(deathEvent()).replace('{"v":1,', '{ "later": 1e2, "v":1,')
  const { events } = check('whokilled.v1.web-3.death', line)
  expect(events.map(({ json }) => json)).toEqual([line])
})

test('a host with dots in its name is recognised in the subject', () => {
  const event = deathEvent({ host: { id: 'x', name: 'db-1.example.org', bootId: 'b' } })
  const { subject, body } = messageOf([event])
  expect(subject).toBe('whokilled.v1.db-1%2Eexample%2Eorg.death')
  expect(check(subject, body).events).toHaveLength(1)
})

test('a dead letter tells who sent it, as far as that can be read', () => {
  const { deadLetters } = check('whokilled.v1.web-3.death', `${JSON.stringify({ ...deathEvent(), v: 2 })}\nrubbish`)
  expect(deadLetters.map(({ reason, stamps }) => ({ reason, stamps }))).toEqual([
    { reason: 'version', stamps: [{ hostName: 'web-3', hostId: 'host-web-3', runId: 'run-1', seq: 1 }] },
    { reason: 'not-json', stamps: [] },
  ])
})

test('whatever the bytes are, every line that is not empty is an event or a dead letter', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (data, subject) => {
      const { events, deadLetters } = validateMessage({ subject, streamSeq: 1, data }, 1_000)
      const lines = Buffer.from(data).toString('latin1').split('\n').filter(Boolean)
      expect(events.length + deadLetters.length).toBe(lines.length)
    }),
  )
})

test('an event in which any one value was replaced is stored or put aside, and never throws', () => {
  const event = deathEvent()
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(event)), fc.jsonValue(), (key, value) => {
      const { events, deadLetters } = check('whokilled.v1.web-3.death', JSON.stringify({ ...event, [key]: value }))
      expect(events.length + deadLetters.length).toBe(1)
    }),
  )
})

function check(subject: string, body: string) {
  return validateMessage({ subject, streamSeq: 1, data: encoder.encode(body) }, 100_000)
}
