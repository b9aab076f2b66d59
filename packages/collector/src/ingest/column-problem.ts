import type { Event } from '@whokilled/shared/event'

/** Of a smallint. */
const signalNumberMax = 32_767
/** An entry of an index holds 2,704 bytes (a third of a page), whole and with its time. */
const serviceNameBytesMax = 2_000
/** PostgreSQL has no year 0. */
const yearMin = '0001'

/**
 * What Postgres would refuse of an event whose shape is right, and so the whole statement with it; undefined: nothing
 * that is known. https://www.postgresql.org/docs/15/datatype.html
 */
export function columnProblem(event: Event): string | undefined {
  for (const number of signalNumbersOf(event)) {
    if (number > signalNumberMax) return `expected a signal's number of at most ${signalNumberMax}, got ${number}`
  }
  if (event.type === 'death' || event.type === 'signal') {
    const bytes = Buffer.byteLength(event.service.name)
    if (bytes > serviceNameBytesMax) {
      return `expected a service's name of at most ${serviceNameBytesMax} bytes, got ${bytes}`
    }
  }
  const badTime = timesOf(event).find((time) => !isDay(time))
  return badTime === undefined ? undefined : `expected a day that exists, got ${badTime}`
}

function signalNumbersOf(event: Event): number[] {
  if (event.type === 'signal') return [event.number]
  return event.type === 'death' && event.exit.signal !== null ? [event.exit.signal.number] : []
}

function timesOf(event: Event): string[] {
  return event.type === 'coverage' ? [event.at, event.from, ...(event.to === null ? [] : [event.to])] : [event.at]
}

/** JavaScript takes the 30th of February for the 2nd of March. */
function isDay(time: string): boolean {
  if (time < yearMin) return false
  const day = new Date(`${time.slice(0, 10)}T00:00:00Z`)
  return day.getUTCDate() === Number(time.slice(8, 10))
}
