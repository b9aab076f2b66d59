import type { DeathEvent } from '@whokilled/shared/event'
import type { Received } from '../ladder.ts'
import { senderOf } from '../sender.ts'
import {
  type CauseRule,
  doubtsOf,
  type Ending,
  type Finding,
  requests,
  seenBoth,
  stopTimeNs,
  termSignalOf,
} from './cause.ts'

/** Its wait status names a signal, and a record of that signal was seen. */
export const killed: CauseRule = (ending) => {
  const number = termSignalOf(ending.status ?? 0)
  const fatal = number === 0 ? undefined : fatalOf(ending, number)
  if (fatal === undefined) return undefined
  const passedOn = requestBehind(ending, fatal)
  if (passedOn !== undefined) {
    const cause = senderOf(passedOn, ending.victim).via === 'tty' ? 'terminal' : 'signal'
    return seenBoth(ending, passedOn, cause, 'it caught the signal and then ended itself with the same')
  }
  const cause = causeOf(ending, fatal)
  if (cause === 'unknown' || senderOf(fatal, ending.victim).status === 'unseen') return seenWithoutWhy(fatal, cause)
  const found = seenBoth(ending, fatal, cause, reasonOf(cause, ending))
  return cause === 'self' ? perhapsAsked(ending, fatal, found) : found
}

/** Who sends itself a signal may only pass on what it got from somebody else, or raise again what the kernel raised. */
function perhapsAsked(ending: Ending, { record }: Received, found: Finding): Finding {
  const backNs = requests.has(record.sig) ? stopTimeNs : reraiseNs
  const gaps = ending.gapsBetween(record.time - backNs, ending.at)
  if (gaps.length === 0) return found
  return {
    ...found,
    confidence: 'likely',
    reasons: [reasons.self ?? '', ...doubtsOf(gaps, 'before it')],
    alternatives: ['it may have got the signal before, which was not seen, and have passed it on to itself'],
    gaps,
  }
}

/** The kernel sends signals for what processes do in other system calls than the six, and does not tell for whom. */
function seenWithoutWhy(fatal: Received, cause: Finding['cause']): Finding {
  const reason = 'the signal and the death were both seen, who had it sent was not'
  const alternatives = [
    'a process may have had the kernel send it (ptrace(2), F_SETSIG, a 32-bit system call, reboot(2))',
  ]
  return { cause, fatal, confidence: 'possible', reasons: [reason], alternatives }
}

function reasonOf(cause: Finding['cause'], { ladder }: Ending): string {
  if (cause === 'oom' && ladder.oomAt === undefined) {
    return 'the kernel killed it along with the one that the OOM killer chose, whose memory it shared'
  }
  return reasons[cause] ?? 'the signal and the death were both seen'
}

const reasons: Partial<Record<DeathEvent['cause'], string>> = {
  oom: 'the OOM killer chose it, and its death was seen',
  fault: 'the kernel raised the signal in the process itself',
  self: 'it sent itself the signal',
}

/** The signal that ended it: the first that could not but, else the last of that number that was delivered. */
function fatalOf({ ladder }: Ending, number: number): Received | undefined {
  if (ladder.fatal?.record.sig === number) return ladder.fatal
  return ladder.rungs.findLast(({ record }) => record.sig === number && record.result !== 'ignored')
}

/**
 * Programs that catch a request to end in order to tidy up then send it to themselves, so that their wait status
 * tells of it: who asked first, at the terminal or by a call, has ended them.
 */
function requestBehind({ ladder, victim, at }: Ending, fatal: Received): Received | undefined {
  if (!requests.has(fatal.record.sig) || !senderOf(fatal, victim).isSelf) return undefined
  return ladder.rungs.findLast(
    (rung) =>
      rung.record.sig === fatal.record.sig &&
      rung.record.result !== 'ignored' &&
      at - rung.record.time <= stopTimeNs &&
      !senderOf(rung, victim).isSelf &&
      (senderOf(rung, victim).status === 'seen' || senderOf(rung, victim).via === 'tty'),
  )
}

/** Numbers of signals (signal(7)). */
const sig = { hup: 1, int: 2, quit: 3, kill: 9, pipe: 13, xcpu: 24, xfsz: 25, sys: 31 }
const faults = new Set([4, 5, 7, 8, 11])
/** How soon after a fault a process that caught it raises the same signal to end itself. */
const reraiseNs = 5_000_000_000n

function causeOf(ending: Ending, fatal: Received): DeathEvent['cause'] {
  const { record } = fatal
  const sender = senderOf(fatal, ending.victim)
  // Whatever call the one was in that ran out of memory: what that call itself sends has a siginfo.
  const isFromKernel = sender.status === 'none' || record.info === 'priv'
  if (isFromKernel && isOutOfMemory(ending) && record.sig === sig.kill) return 'oom'
  if (sender.via === 'cgroup.kill') return 'cgroup-kill'
  if (sender.via !== 'kernel' && sender.via !== 'timer' && sender.via !== 'tty') {
    if (!sender.isSelf) return 'signal'
    return isReraised(ending, record.sig, record.time) ? 'fault' : 'self'
  }
  if (record.exiting === 1) return causeFromDyingProcess(fatal, ending)
  if (record.sig === sig.sys) return 'seccomp'
  if (record.sig === sig.pipe) return 'broken-pipe'
  if (record.sig === sig.xcpu || record.sig === sig.xfsz) return 'resource-limit'
  if (faults.has(record.sig)) return 'fault'
  if (sender.via === 'timer') return 'timer'
  if (sender.via === 'tty') return 'terminal'
  return isOutOfTime(ending, fatal) && sender.isSelf ? 'resource-limit' : 'unknown'
}

function isOutOfMemory({ ladder }: Ending): boolean {
  return ladder.oomAt !== undefined || ladder.oomAlongAt !== undefined
}

/**
 * The kernel sends SIGKILL to the process it runs when its CPU time is used up (RLIMIT_CPU); and to the first of a pid
 * namespace that called reboot(2) (kernel/pid_namespace.c), where only an earlier SIGXCPU tells that it was the limit.
 */
function isOutOfTime({ ladder, victim }: Ending, { record }: Received): boolean {
  if (record.sig !== sig.kill || record.info !== 'priv') return false
  const mayHaveRebooted = victim.nsPid === 1 && victim.pid !== 1
  return !mayHaveRebooted || ladder.rungs.some((rung) => rung.record.sig === sig.xcpu)
}

/** A process that ends itself sends for its children's parent-death signal, its pid namespace, or its terminal. */
function causeFromDyingProcess({ record, by }: Received, { victim }: Ending): DeathEvent['cause'] {
  if (record.sig === sig.kill && record.info === 'priv') return by?.nsPid === 1 ? 'pid-namespace-exit' : 'unknown'
  if (record.sig === sig.hup && record.info === 'priv') return 'terminal'
  // The kernel passes no siginfo here for parent-death signals alone; the parent may be one that adopted the process.
  return by !== undefined && (by === victim.parent || record.info === 'noinfo') ? 'parent-death' : 'unknown'
}

/** Programs that catch a fault to write a report then raise it again: the fault is the cause. */
function isReraised({ ladder, victim }: Ending, number: number, at: bigint): boolean {
  return ladder.rungs.some(
    (rung) =>
      faults.has(number) &&
      rung.record.sig === number &&
      at - rung.record.time < reraiseNs &&
      senderOf(rung, victim).via === 'kernel',
  )
}
