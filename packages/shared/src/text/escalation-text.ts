import type { SentSignal } from '../event.ts'
import type { UnjudgedDeath } from '../unjudged-death.ts'
import { millisecondsBetween } from '../vocabulary.ts'
import { processName } from './process-name.ts'
import { shortened, terminalText } from './terminal-text.ts'
import { durationText } from './time-text.ts'

/**
 * `, 1.0 s after it had ignored its SIGTERM`: what had been tried before the signal that ended a process, to be read
 * behind the name of its killer. Empty if nobody had asked it to end, or a stop timeout tells the same.
 */
export function escalationText(death: UnjudgedDeath): string {
  const { signal, behalf } = death
  if (signal === null || (behalf?.graceMs ?? null) !== null) return ''
  const [first, ...more] = attempts(death, signal)
  if (first === undefined) return ''
  const alike = more.filter((one) => one.number === first.number && one.reception === first.reception)
  const count = [first, ...alike].reduce((sum, one) => sum + (one.count ?? 1), 0)
  const what = attemptText(first, count, signal)
  return `, ${durationText(millisecondsBetween(first.firstAt ?? first.at, signal.at))} after ${vainText(first, what)}`
}

/**
 * `, 0.2 ms after it had caught SIGTERM from bash (pid 4711)`: that a process which died of itself had been asked to end.
 * Empty if nobody had.
 */
export function askedText(death: UnjudgedDeath): string {
  const { signal } = death
  if (signal === null) return ''
  const asked = attempts(death, signal).findLast(
    (one) => one.reception === 'caught' && millisecondsBetween(one.at, signal.at) <= endingMsMax,
  )
  if (asked === undefined) return ''
  const before = durationText(millisecondsBetween(asked.at, signal.at))
  return `, ${before} after it had caught ${shortened(terminalText(asked.name), 32)} from ${askerText(asked)}`
}

/** How long an orderly end may take: systemd gives a service 90 s (DefaultTimeoutStopSec). */
const endingMsMax = 90_000

/** SIGINT, SIGQUIT and SIGTERM. To many programs SIGHUP means something else. */
const requests: ReadonlySet<number> = new Set([2, 3, 15])

/** What was asked longer ago has nothing to do with the end. */
const backMsMax = 600_000

/** Attempts of the killer; of others, if it made none itself. */
function attempts({ signals, victim }: UnjudgedDeath, fatal: SentSignal): readonly SentSignal[] {
  const all = signals.filter((one) => {
    const before = millisecondsBetween(one.at, fatal.at)
    const isVain = one.reception !== 'too-late' && (one.reception ?? null) !== null
    const isAsked = requests.has(one.number) && one.number !== fatal.number && one.sender?.id !== victim.id
    return isAsked && isVain && before >= 0 && before <= backMsMax
  })
  const own = all.filter((one) => isOwn(one, fatal))
  return own.length > 0 ? own : all
}

function isOwn({ sender }: SentSignal, fatal: SentSignal): boolean {
  return sender !== null && sender.id === fatal.sender?.id
}

/** `its SIGTERM`, `SIGTERM from systemd (pid 1)`, `the first of 3 SIGTERMs, from systemd (pid 1)`. */
function attemptText(first: SentSignal, count: number, fatal: SentSignal): string {
  const name = shortened(terminalText(first.name), 32)
  if (isOwn(first, fatal)) return count === 1 ? `its ${name}` : `the first of its ${count} ${name}s`
  return count === 1 ? `${name} from ${askerText(first)}` : `the first of ${count} ${name}s, from ${askerText(first)}`
}

function askerText({ sender, senderStatus, via }: SentSignal): string {
  if (via === 'tty') return 'its terminal'
  if (sender !== null) return `${processName(sender, 48)} (pid ${sender.pid})`
  return senderStatus === 'none' ? 'the kernel' : 'a process that was not seen'
}

function vainText({ reception }: SentSignal, what: string): string {
  if (reception === 'ignored') return `it had ignored ${what}`
  if (reception === 'caught') return `it had caught ${what} and gone on`
  return reception === 'blocked' ? `${what}, which it had blocked` : `${what}, which had not ended it`
}
