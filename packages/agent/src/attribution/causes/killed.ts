import type { DeathEvent } from '@whokilled/shared/event'
import { signalName } from '@whokilled/shared/signals'
import { termSignalOf } from '../end.ts'
import type { Received } from '../signals/ladder.ts'
import { requests } from '../signals/requests.ts'
import { isByEnding, senderOf } from '../signals/sender.ts'
import { type CauseRule, doubtsOf, type Ending, type Finding, seenBoth, stopTimeNs } from './cause.ts'
import { fatalOf, faultBehind, faultSignals, requestBefore, requestBehind, reraiseNs } from './fatal.ts'

/** Its wait status names a signal, and a record of that signal was seen. */
export const killed: CauseRule = (ending) => {
  const number = termSignalOf(ending.status ?? 0)
  const fatal = number === 0 ? undefined : fatalOf(ending, number)
  if (fatal === undefined) return undefined
  const passedOn = requestBehind(ending, fatal)
  if (passedOn !== undefined) {
    const cause = senderOf(passedOn, ending.victim).via === 'tty' ? 'terminal' : 'signal'
    const isSame = passedOn.record.sig === number
    const how = isSame ? 'the same' : signalName(number)
    const found = seenBoth(ending, passedOn, cause, `it caught the signal and then ended itself with ${how}`)
    return isSame ? found : { ...found, confidence: 'likely', alternatives: [ownReason, ...found.alternatives] }
  }
  const raised = faultBehind(ending, fatal)
  if (raised !== undefined) return seenBoth(ending, raised, 'fault', 'it caught the fault and then raised it again')
  const cause = causeOf(ending, fatal)
  const isUnseen = senderOf(fatal, ending.victim).status === 'unseen'
  if (cause === 'unknown' || isUnseen) return seenWithoutWhy(ending, fatal, cause)
  const found = seenBoth(ending, fatal, cause, reasonOf(cause, ending, fatal))
  if (cause !== 'self') return withRequest(ending, fatal, isInItsName(ending, fatal) ? inItsName(found) : found)
  const itself = withRequest(ending, fatal, perhapsAsked(ending, fatal, found))
  return { ...itself, passedOn: passedOnOf(ending, fatal) }
}

const ownReason = 'it may have ended itself for a reason of its own right after the signal'

/** What dies of itself right after it was asked to end may have died of ending. */
function withRequest(ending: Ending, fatal: Received, found: Finding): Finding {
  const asked = ofItself.has(found.cause) ? requestBefore(ending, fatal) : undefined
  if (asked === undefined) return found
  const alternative = `it may have died while it was ending, since ${signalName(asked.record.sig)} had asked it to`
  return { ...found, alternatives: [...found.alternatives, alternative] }
}

const ofItself: ReadonlySet<string> = new Set(['self', 'fault', 'timer', 'broken-pipe', 'resource-limit', 'seccomp'])

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

/** What it sends to its whole group is not for itself. */
function passedOnOf({ passedOn, victim }: Ending, fatal: Received): Finding['passedOn'] {
  return ownWays.has(senderOf(fatal, victim).via) ? passedOn : undefined
}

const ownWays: ReadonlySet<string> = new Set(['kill', 'tkill', 'tgkill', 'sigqueue', 'pidfd', 'unknown'])

/** The kernel made it in the name of a process, in a call of that process that is none of the six. */
function isInItsName({ victim }: Ending, fatal: Received): boolean {
  return fatal.record.call === 'other' && senderOf(fatal, victim).via === 'unknown'
}

function inItsName(found: Finding): Finding {
  return {
    ...found,
    confidence: 'likely',
    reasons: [
      'the signal was made in a system call of the killer such as ptrace(2), and the death was seen',
      ...found.reasons.slice(1),
    ],
    alternatives: ['the kernel may have sent it for a reason of its own in that call', ...found.alternatives],
  }
}

/** The kernel also sends signals that somebody asked for beforehand, and does not tell who. */
function seenWithoutWhy({ victim }: Ending, fatal: Received, cause: Finding['cause']): Finding {
  const isNobody = senderOf(fatal, victim).status === 'none'
  return {
    cause,
    fatal,
    confidence: 'possible',
    reasons: [
      `the signal and the death were both seen, ${isNobody ? 'why the kernel sent it' : 'who had it sent'} was not`,
    ],
    alternatives: ['a process may have asked the kernel for it beforehand (F_SETSIG, mq_notify(3))'],
  }
}

function reasonOf(cause: Finding['cause'], { ladder, victim }: Ending, fatal: Received): string {
  if (cause === 'oom' && ladder.oomAt === undefined) {
    return 'the kernel killed it along with the one that the OOM killer chose, whose memory it shared'
  }
  const { via } = senderOf(fatal, victim)
  return reasonsByWay[via] ?? reasons[cause] ?? 'the signal and the death were both seen'
}

const reasons: Partial<Record<DeathEvent['cause'], string>> = {
  oom: 'the OOM killer chose it, and its death was seen',
  fault: 'the kernel raised the signal in the process itself',
  self: 'it sent itself the signal',
}

const reasonsByWay: Record<string, string> = {
  reboot: 'reboot(2) in its pid namespace made the signal, and the death was seen',
  'tracer-exit': 'the kernel ended it with its tracer, as that had asked (PTRACE_O_EXITKILL), and the death was seen',
}

/** Numbers of signals (signal(7)). */
const sig = { hup: 1, kill: 9, pipe: 13, xcpu: 24, xfsz: 25, sys: 31 }

/** Ways that only the kernel uses, for itself. */
const kernelWays: ReadonlySet<string> = new Set(['kernel', 'timer', 'tty'])

function causeOf(ending: Ending, fatal: Received): DeathEvent['cause'] {
  const { record } = fatal
  const sender = senderOf(fatal, ending.victim)
  // Whatever call the one was in that ran out of memory: what that call itself sends has a siginfo.
  const isFromKernel = sender.status === 'none' || record.info === 'priv'
  if (isFromKernel && isOutOfMemory(ending) && record.sig === sig.kill) return 'oom'
  if (sender.via === 'cgroup.kill') return 'cgroup-kill'
  if (!kernelWays.has(sender.via)) return sender.isSelf ? 'self' : 'signal'
  if (isByEnding(record)) return causeFromDyingProcess(fatal, ending)
  if (record.sig === sig.sys) return 'seccomp'
  if (record.sig === sig.pipe) return 'broken-pipe'
  if (record.sig === sig.xcpu || record.sig === sig.xfsz) return 'resource-limit'
  if (faultSignals.has(record.sig)) return 'fault'
  if (sender.via === 'timer') return 'timer'
  if (sender.via === 'tty') return 'terminal'
  return isOutOfTime(fatal) && sender.isSelf && !mayHaveMissedOom(ending, fatal) ? 'resource-limit' : 'unknown'
}

function isOutOfMemory({ ladder }: Ending): boolean {
  return ladder.oomAt !== undefined || ladder.oomAlongAt !== undefined
}

/** How far the OOM killer's choice is from its signal. */
const choiceNs = 1_000_000_000n

/** The OOM killer's SIGKILL looks the same, and only the record of its choice tells the two apart. */
function mayHaveMissedOom({ gapsBetween }: Ending, { record }: Received): boolean {
  const gaps = gapsBetween(record.time - choiceNs, record.time + choiceNs)
  return gaps.some(({ lost, to }) => lost > 0 || to > record.time)
}

/**
 * The kernel sends SIGKILL to the whole process that it runs when its CPU time is used up (RLIMIT_CPU,
 * kernel/time/posix-cpu-timers.c).
 */
function isOutOfTime({ record }: Received): boolean {
  return record.sig === sig.kill && record.info === 'priv' && record.group !== 0
}

/** A process that ends itself sends for its children's parent-death signal, its pid namespace, or its terminal. */
function causeFromDyingProcess({ record, by }: Received, { victim }: Ending): DeathEvent['cause'] {
  if (record.sig === sig.kill && record.info === 'priv') return by?.nsPid === 1 ? 'pid-namespace-exit' : 'unknown'
  if (record.sig === sig.hup && record.info === 'priv') return 'terminal'
  // The kernel passes no siginfo here for parent-death signals alone; the parent may be one that adopted the process.
  return by !== undefined && (by === victim.parent || record.info === 'noinfo') ? 'parent-death' : 'unknown'
}
