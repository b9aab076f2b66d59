import type { Gap, HostCoverage } from '@whokilled/shared/http-api'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import { localTime, type ReaderClock } from '@whokilled/shared/text/time-text'

/** Agents repeat their coverage every 30 s, so the last moments are never covered yet. */
const coverageDelayMs = 90_000

const gapsShownMax = 20
const hostsNamedMax = 3
const linesShownMax = 1_000

/** Who watched in a time asked about, one sentence a line: the gaps first, then who watched all the time. */
export function coverageSentences(coverage: readonly HostCoverage[], until: string, clock: ReaderClock): string[] {
  const hosts = coverage.map((each) => ({ host: hostName(each.host), lacks: lacksOf(each, until, clock) }))
  const whole = hosts.filter(({ lacks }) => lacks.length === 0).map(({ host }) => host)
  const partial = hosts.filter(({ lacks }) => lacks.length > 0)
  const shown = partial.slice(0, gapsShownMax).map(({ host, lacks }) => `${host} ${joined(lacks)}`)
  const hidden = partial.length - shown.length
  return [
    ...shown,
    ...(hidden > 0 ? [`${hidden} more hosts were not watched all the time`] : []),
    ...(whole.length > 0 ? [watchedText(whole)] : []),
  ]
}

/** The same with each gap on a line of its own, for who asks about nothing else. */
export function everyGap(coverage: readonly HostCoverage[], until: string, clock: ReaderClock): string[] {
  const hosts = coverage.map((each) => ({ host: hostName(each.host), lacks: lacksOf(each, until, clock) }))
  const lines = hosts.flatMap(({ host, lacks }) => lacks.map((lack) => `${host} ${lack}`))
  const whole = hosts.filter(({ lacks }) => lacks.length === 0).map(({ host }) => host)
  const hidden = lines.length - linesShownMax
  return [
    ...lines.slice(0, linesShownMax),
    ...(hidden > 0 ? [`and ${hidden} more gaps: --host and --since ask about fewer`] : []),
    ...(whole.length > 0 ? [watchedText(whole)] : []),
  ]
}

/** What of one host's record is missing after a moment: a later death may be missing with it. */
export function gapsAfter(coverage: readonly HostCoverage[], host: string, at: string, clock: ReaderClock): string[] {
  const gaps = coverage.find((each) => each.host === host)?.gaps ?? []
  const later = gaps.filter(({ to }) => to === null || Date.parse(to) > Date.parse(at))
  return later.length === 0 ? [] : [`${hostName(host)} ${joined(later.map((gap) => gapText(gap, clock)))}`]
}

function lacksOf({ completeUntil, gaps }: HostCoverage, until: string, clock: ReaderClock): string[] {
  if (completeUntil === null) return ['was never watched']
  const texts = gaps.map((gap) => gapText(gap, clock))
  const isOpen = gaps.some(({ to }) => to === null)
  if (isOpen || Date.parse(until) - Date.parse(completeUntil) <= coverageDelayMs) return texts
  return [...texts, `has reported nothing after ${momentOf(completeUntil, clock.nowMs, clock)}`]
}

function gapText({ from, to, why, reason, lostRecords }: Gap, clock: ReaderClock): string {
  const when = to === null ? `since ${momentOf(from, clock.nowMs, clock)}` : spanText(from, to, clock)
  const because = reason === null || reason === 'not watched' ? '' : ` (${shortened(terminalText(reason), 120)})`
  if (lostRecords === 0) return `was not watched ${when}${because}`
  const lost = why === 'events-dropped' ? 'event' : 'record'
  return `lost ${lostRecords} ${lost}${lostRecords === 1 ? '' : 's'} ${when}${because}`
}

/** `12:00–12:04`, of a short gap `12:00:07–12:00:21`; the date where it is not today, or changes within. */
function spanText(from: string, to: string, clock: ReaderClock): string {
  const isShort = Date.parse(to) - Date.parse(from) < 120_000
  return `${momentOf(from, clock.nowMs, clock, isShort)}–${momentOf(to, Date.parse(from), clock, isShort)}`
}

function momentOf(at: string, toldMs: number, { timeZone }: ReaderClock, withSeconds = false): string {
  const { date, time } = localTime(Date.parse(at), timeZone)
  const shown = withSeconds ? time : time.slice(0, 5)
  return date === localTime(toldMs, timeZone).date ? shown : `${date} ${shown}`
}

function joined(texts: readonly string[]): string {
  const told = texts.map((text, index) => (index === 0 ? text : text.replace(/^was not watched /, '')))
  const hidden = texts.length - gapsShownMax
  return hidden > 0 ? `${told.slice(0, gapsShownMax).join(', ')}, and ${hidden} more gaps` : told.join(', ')
}

function watchedText(hosts: readonly string[]): string {
  if (hosts.length === 1) return `${hosts[0]} was watched all the time`
  if (hosts.length > hostsNamedMax) return `${hosts.length} hosts were watched all the time`
  return `${hosts.slice(0, -1).join(', ')} and ${hosts.at(-1)} were watched all the time`
}

function hostName(host: string): string {
  return shortened(terminalText(host), 120)
}
