import type { DeathEvent } from '../event.ts'
import { type GapEvidence, gapsAmong } from '../gap.ts'
import { shortened, terminalText } from './terminal-text.ts'
import { localTime, type ReaderClock } from './time-text.ts'

type WithEvidence = Pick<DeathEvent, 'at' | 'evidence'>

/**
 * What is to be said of an end that nobody saw, in UTC since it is written on the host:
 * `ended while nobody was watching, between 12:00:07 and 12:04:10 UTC (the agent was stopped)`.
 */
export function unseenEndText(death: WithEvidence): string {
  const gap = decisive(gapsAmong(death.evidence))
  if (gap === undefined) return 'ended while nobody was watching'
  const when = `${spanText(gap, { nowMs: Date.parse(death.at), timeZone: 'UTC' })} UTC`
  if (gap.lostRecords > 0) return `ended; how was not seen, because ${lostText(gap)} ${when}`
  return `ended while nobody was watching, ${when} (${reasonText(gap)})`
}

/** The gaps that a verdict had to reckon with, each in a few words, in the reader's own time; undefined: none. */
export function gapLine({ evidence }: WithEvidence, clock: ReaderClock): string | undefined {
  const gaps = gapsAmong(evidence)
  const shown = gaps.slice(-gapsShownMax).map((gap) => {
    if (gap.why === 'just-begun') return `not watched before ${momentText(gap.to, clock)}`
    const what = gap.lostRecords > 0 ? lostText(gap) : 'not watched'
    return `${what} ${spanText(gap, clock)} (${reasonText(gap)})`
  })
  return shown.length === 0 ? undefined : shown.join('; ')
}

const gapsShownMax = 4

/** Where several gaps meet, the time in which nobody was watching at all says most; of those, the longest. */
function decisive(gaps: readonly GapEvidence[]): GapEvidence | undefined {
  const weight = (gap: GapEvidence) =>
    (gap.lostRecords > 0 ? 0 : 1e15) + Math.max(0, Date.parse(gap.to) - Date.parse(gap.from))
  return gaps.reduce<GapEvidence | undefined>(
    (most, gap) => (most === undefined || weight(gap) > weight(most) ? gap : most),
    undefined,
  )
}

function lostText({ lostRecords }: GapEvidence): string {
  return `${lostRecords} ${lostRecords === 1 ? 'record was' : 'records were'} lost`
}

function reasonText({ reason }: GapEvidence): string {
  return shortened(terminalText(reason), 160)
}

/** `between 12:00:07 and 12:04:10`, `at 12:00:07`; with the date where it is not the reader's day. */
function spanText({ from, to }: GapEvidence, clock: ReaderClock): string {
  const [begin, end] = [momentText(from, clock), momentText(to, clock)]
  return begin === end ? `at ${begin}` : `between ${begin} and ${end}`
}

function momentText(at: string, { nowMs, timeZone }: ReaderClock): string {
  const { date, time } = localTime(Date.parse(at), timeZone)
  return date === localTime(nowMs, timeZone).date ? time : `${date} ${time}`
}
