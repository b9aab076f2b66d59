import type { DeathEvent } from '@whokilled/shared/event'
import { expect, test } from 'vitest'
import { aProcess, deathEvent } from '../../../../test/events.ts'
import { jsonWithin } from './event-size.ts'

const long = (length: number) => aProcess({ args: ['cc', ...Array.from({ length }, (_, n) => `object-${n}.o`)] })

function within(event: DeathEvent, bytesMax: number): { event: DeathEvent; isShortened: boolean } {
  const { json, isShortened } = jsonWithin(event, bytesMax)
  if (json === undefined) throw new Error('expected it to fit')
  expect(Buffer.byteLength(json)).toBeLessThanOrEqual(bytesMax)
  return { event: JSON.parse(json) as DeathEvent, isShortened }
}

test('an event that fits is written as it is', () => {
  const event = deathEvent({ victim: long(100) })
  expect(within(event, 100_000)).toEqual({ event, isShortened: false })
})

test('arguments are cut where an event is too large, of ancestors too, and marked so', () => {
  const victim = { ...long(20_000), ancestors: [long(20_000), aProcess({ args: ['sh', '-c', 'x'] })] }
  const { event, isShortened } = within(deathEvent({ victim }), 50_000)
  expect(isShortened).toBe(true)
  expect(event.victim).toMatchObject({ argsTruncated: true, pid: victim.pid })
  expect(event.victim.args?.slice(0, 2)).toEqual(['cc', 'object-0.o'])
  expect(event.victim.args?.join('').length).toBe(8_192)
  expect(event.victim.ancestors[0]).toMatchObject({ argsTruncated: true })
  expect(event.victim.ancestors[1]).toMatchObject({ argsTruncated: false, args: ['sh', '-c', 'x'] })
})

test('the tighter the limit, the shorter the arguments; without any an event is too large', () => {
  const event = deathEvent({ victim: long(20_000) })
  const bareBytes = JSON.stringify({ ...event, victim: { ...event.victim, args: [], argsTruncated: true } }).length
  const lengths = [20_000, 2_000, 300, 20].map((room) => {
    const { json } = jsonWithin(event, bareBytes + room)
    return json === undefined ? undefined : (JSON.parse(json) as DeathEvent).victim.args?.join('').length
  })
  expect(lengths).toEqual([8_192, 1_024, 128, 0])
  expect(jsonWithin(event, 1_000)).toEqual({ json: undefined, isShortened: true })
})

test('no character is cut in half, and the limit counts bytes', () => {
  const victim = aProcess({ args: [`${'x'.repeat(8_191)}🚀${'数'.repeat(20_000)}`] })
  const { event } = within(deathEvent({ victim }), 30_000)
  expect(event.victim.args).toEqual(['x'.repeat(8_191)])
})
