import { isDelivered, isFatal, type Received } from '../signals/ladder.ts'
import { requests } from '../signals/requests.ts'
import { senderOf } from '../signals/sender.ts'
import { type Ending, stopTimeNs } from './cause.ts'

const sighup = 1
const sigabrt = 6
const sigkill = 9

/** Signals that the processor's faults make: ILL, TRAP, BUS, FPE, SEGV. */
export const faultSignals: ReadonlySet<number> = new Set([4, 5, 7, 8, 11])

/** Those, and what abort(3) sends. */
const crashSignals: ReadonlySet<number> = new Set([...faultSignals, sigabrt])

/** How soon after a fault a process that caught it raises the same signal to end itself. */
export const reraiseNs = 5_000_000_000n

/** Rivals come within this time of each other. */
const rivalsNs = 100_000_000n

/**
 * The signal of this number that ended a process. Of SIGKILL the first. Of others the last that it did not handle, since
 * sigwait(3) can take one that looks as if it had to end the process; and of several close together the first: older
 * kernels still deliver one to a process that is ending. Else the last that was delivered at all.
 */
export function fatalOf({ ladder }: Ending, number: number): Received | undefined {
  if (number === sigkill && ladder.fatal?.record.sig === sigkill) return ladder.fatal
  const same = ladder.rungs.filter(({ record }) => record.sig === number)
  const fatal = same.filter(({ record }) => isFatal(record))
  if (number === sigkill) return fatal[0]
  const chosen = fatal.reduceRight<Received | undefined>(
    (later, one) => (later === undefined || later.record.time - one.record.time <= rivalsNs ? one : later),
    undefined,
  )
  return chosen ?? same.findLast(({ record }) => isDelivered(record))
}

/**
 * Programs that catch a request to end in order to tidy up then send it to themselves, so that their wait status
 * tells of it: who asked first, at the terminal or by a call, has ended them. So has who asked one that then ended itself
 * with another signal, as `kill(getpid(), SIGKILL)` does where exit(3) might hang; but not with one that tells of a crash.
 */
export function requestBehind(ending: Ending, fatal: Received): Received | undefined {
  const { ladder, victim } = ending
  if (!senderOf(fatal, victim).isSelf) return undefined
  const asked = ladder.rungs.filter((rung) => rung.record.time <= fatal.record.time && isRequest(rung, ending))
  const same = asked.findLast(({ record }) => record.sig === fatal.record.sig)
  return same ?? (crashSignals.has(fatal.record.sig) ? undefined : asked.findLast((rung) => isInTime(rung, ending)))
}

/** Who had asked a process to end that then died of itself, by a fault or the like. */
export function requestBefore(ending: Ending, fatal: Received): Received | undefined {
  return ending.ladder.rungs.findLast(
    (rung) => rung !== fatal && rung.record.disp === 'handler' && isRequest(rung, ending) && isInTime(rung, ending),
  )
}

/** SIGHUP means to many daemons to read their settings again; only an end right behind it counts. */
export const hangUpTimeNs = 2_000_000_000n

function isInTime({ record }: Received, { awakeSince }: Ending): boolean {
  return record.sig !== sighup || awakeSince(record.time) <= hangUpTimeNs
}

function isRequest(rung: Received, { victim, awakeSince }: Ending): boolean {
  const { sig, result, time } = rung.record
  if (!requests.has(sig) || result === 'ignored' || awakeSince(time) > stopTimeNs) return false
  const { isSelf, status, via } = senderOf(rung, victim)
  return !isSelf && (status === 'seen' || via === 'tty')
}

/** Programs that catch a fault to write a report then raise it again: the fault is the cause. */
export function faultBehind({ ladder, victim }: Ending, fatal: Received): Received | undefined {
  if (!faultSignals.has(fatal.record.sig) || !senderOf(fatal, victim).isSelf) return undefined
  return ladder.rungs.findLast(
    (rung) =>
      rung !== fatal &&
      rung.record.sig === fatal.record.sig &&
      fatal.record.time - rung.record.time < reraiseNs &&
      senderOf(rung, victim).via === 'kernel',
  )
}
