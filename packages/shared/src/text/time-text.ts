/** A span of time as a person says it: `40 µs`, `0.4 ms`, `12 ms`, `2.5 s`, `1 min 30 s`, `3 h 5 min`, `2 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 0.0995) return `${Math.round(ms * 1_000)} µs`
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return twoUnits(seconds, 60, 'min', 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return twoUnits(minutes, 60, 'h', 'min')
  return twoUnits(Math.round(minutes / 60), 24, 'd', 'h')
}

function twoUnits(count: number, perLarge: number, large: string, small: string): string {
  const rest = count % perLarge
  return `${Math.floor(count / perLarge)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

/** How long ago, in one unit: `just now`, `3 minutes ago`. A host's clock may be ahead of this one. */
export function ageText(atMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - atMs) / 1_000)
  if (seconds < -10) return `${durationText(atMs - nowMs)} ahead of this clock`
  if (seconds < 10) return 'just now'
  if (seconds < 60) return counted(seconds, 'second')
  if (seconds < 3_600) return counted(Math.floor(seconds / 60), 'minute')
  if (seconds < 86_400) return counted(Math.floor(seconds / 3_600), 'hour')
  return counted(Math.floor(seconds / 86_400), 'day')
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`
}

/** Where and when the reader is. `timeZone`: an IANA name; without it the machine's own. */
export interface ReaderClock {
  readonly nowMs: number
  readonly timeZone?: string | undefined
}

/** `at 19:40:42`, and with the date when that is not today for the reader: `on 2026-11-21 at 19:40:42`. */
export function momentText(atMs: number, clock: ReaderClock): string {
  const moment = localTime(atMs, clock.timeZone)
  return moment.date === localTime(clock.nowMs, clock.timeZone).date
    ? `at ${moment.time}`
    : `on ${moment.date} at ${moment.time}`
}

/** A time of the reader's own zone: `{ date: '2026-11-22', time: '19:40:42' }`. */
export function localTime(atMs: number, timeZone: string | undefined): { date: string; time: string } {
  const parts = new Map(
    clockFormat(timeZone)
      .formatToParts(atMs)
      .map((part) => [part.type, part.value]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}:${part('second')}`,
  }
}

function clockFormat(timeZone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
}
