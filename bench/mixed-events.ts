import { createHash } from 'node:crypto'
import type { Event, EventType } from '@whokilled/shared/event'

const eventBytes = 600
const beganMs = Date.UTC(2026, 10, 22)

/**
 * One of a host's events, by its number: of ten about six signals, four deaths, and now and then a note of coverage, in
 * no order. They have what the spool and the publisher look at, and are as long as small events are.
 */
export function mixedEvent(number: number): Event {
  const digest = createHash('sha256').update(String(number)).digest('hex')
  const share = Number.parseInt(digest.slice(0, 4), 16) / 0x1_00_00
  const type: EventType = share < 0.58 ? 'signal' : share < 0.98 ? 'death' : 'coverage'
  const at = new Date(beganMs + number * 5).toISOString()
  const event = {
    v: 1,
    id: `01a205ad-a598-7${digest.slice(0, 3)}-8${digest.slice(3, 6)}-${digest.slice(6, 18)}`,
    host: { id: '56ce3851939f210e0b9fc39d2ef5c460', name: 'web-3', bootId: '8fd36230-6d2f-493f-aad6-5717c2d86e3e' },
    agent: {
      version: '0.1.0',
      probe: 'systemtap',
      runId: '89d77178-7a58-4267-a360-4f98cc77e8f8',
      seq: number + 1,
    },
    type,
    at,
    ...(type === 'coverage' ? { state: 'watching', from: at, to: at, why: null, reason: null, lostRecords: 0 } : {}),
    rest: '',
  }
  const missing = eventBytes - JSON.stringify(event).length
  // As much alike as events are: half of it is new each time.
  const rest = `${digest.repeat(3)}${'/usr/lib/systemd/systemd --user '.repeat(9)}`.slice(0, Math.max(0, missing))
  return { ...event, rest } as unknown as Event
}
