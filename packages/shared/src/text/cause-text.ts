import type { SentSignal } from '../event.ts'
import type { Process } from '../process.ts'
import type { UnjudgedDeath } from '../unjudged-death.ts'
import { millisecondsBetween } from '../vocabulary.ts'
import {
  firstProcessEndText,
  hangUpText,
  lostChildText,
  parentEndText,
  passedOnText,
  type Words,
} from './earlier-death-text.ts'
import { askedText, escalationText } from './escalation-text.ts'
import { exitCodeText } from './exit-text.ts'
import { faultText, isFault } from './fault-text.ts'
import { unseenEndText } from './gap-text.ts'
import { isMember } from './lineage.ts'
import { eaterText, memoryText } from './memory-text.ts'
import { containerText, processName } from './process-name.ts'
import { shortened, terminalText } from './terminal-text.ts'
import { durationText } from './time-text.ts'

/** What died, as a person names it: `nginx.service`, or `nginx (pid 4243) of nginx.service` for a further process of it. */
export function victimName(death: UnjudgedDeath): string {
  const service = shortened(terminalText(death.service.name), 120)
  if (!isMember(death)) return service
  return `${processName(death.victim, 40)} (pid ${death.victim.pid}) of ${service}`
}

/** The verb of a headline: `was killed`, `crashed with SIGSEGV`, `exited with code 3`. */
export function headlineVerb(death: UnjudgedDeath): string {
  const signal = fatalName(death)
  if (death.cause === 'fault') return `crashed with ${signal}`
  if (death.cause === 'oom') return 'was killed by the OOM killer'
  if (death.cause === 'exit') return `ended by itself with exit code ${death.exit.code ?? 'unknown'}`
  if (death.cause === 'self') return `ended itself with ${signal}`
  if (isUnwatched(death)) return 'ended while nobody was watching; found gone'
  if (death.cause === 'unknown') return death.exit.signal === null ? 'ended' : 'was killed'
  return wasCaught(death) || gentle.has(death.cause) ? `was ended by ${signal}` : 'was killed'
}

const gentle = new Set<string>(['terminal', 'timer', 'broken-pipe'])

/** The predicate of the verdict's sentence, without subject and full stop. */
export function causeText(death: UnjudgedDeath): string {
  const tell = tellers[death.cause]
  if (tell !== undefined) return tell(death)
  return `ended with ${exitText(death)} (cause: ${shortened(terminalText(death.cause), 64)})`
}

const tellers: Record<string, (death: UnjudgedDeath) => string> = {
  signal: (death) => {
    const told = tellersByWay[death.signal?.via ?? '']
    if (told !== undefined && death.killer !== null) return told(death, named(death.killer, death.victim))
    const scope = scopeText(death)
    if (wasCaught(death))
      return `was ended by ${fatalName(death)}${sentBy(death, 'from')}${scope}: ${caughtText(death)}`
    return `was killed with ${fatalName(death)}${sentBy(death, 'by')}${scope}${escalationText(death)}${coreText(death)}`
  },
  self: (death) => {
    const passedOn = passedOnText(death, words)
    if (passedOn !== '') return `ended itself with ${fatalName(death)}${passedOn}`
    return `ended itself with ${fatalName(death)} (${selfText(death)})${afterFaultText(death)}${askedText(death)}${afterCatching(death)}${coreText(death)}`
  },
  fault: (death) =>
    `crashed with ${fatalName(death)} (${faultText(fatalName(death), death.signal?.code)})${askedText(death)}${afterCatching(death)}${coreText(death)}`,
  oom: (death) => `was killed by the kernel's OOM killer, because ${memoryText(death)}${eaterText(death)}`,
  'cgroup-kill': (death) =>
    `was killed with ${fatalName(death)} together with its whole cgroup, through cgroup.kill${sentBy(death, 'by')}${escalationText(death)}`,
  'parent-death': (death) => {
    const why = parentEndText(death, words)
    return `${endedBy(death)} because ${why} (it had asked for that with PR_SET_PDEATHSIG)${afterCatching(death)}`
  },
  'pid-namespace-exit': (death) => `${endedBy(death)} by the kernel, because ${firstProcessEndText(death, words)}`,
  'resource-limit': (death) =>
    `${endedBy(death)} because ${limitText(fatalName(death))}${askedText(death)}${afterCatching(death)}`,
  seccomp: (death) => {
    const what = fatalName(death) === 'SIGKILL' ? 'the strict mode of seccomp' : 'its seccomp filter'
    return `${endedBy(death)} by ${what}, for a system call that is forbidden to it${askedText(death)}${coreText(death)}`
  },
  'broken-pipe': (death) =>
    `was ended by ${fatalName(death)}: it wrote to a pipe or socket that nobody reads any more${askedText(death)}${afterCatching(death)}`,
  terminal: (death) => `was ended by ${fatalName(death)}: ${terminalCause(death)}${afterCatching(death)}`,
  timer: (death) =>
    `was ended by ${fatalName(death)}: a timer that it had set itself ran out${askedText(death)}${afterCatching(death)}`,
  exit: (death) => {
    const passedOn = passedOnText(death, words)
    if (passedOn !== '') return `ended by itself with exit code ${death.exit.code}${passedOn}`
    return `ended by itself with exit code ${exitCodeText(death)}${lostChildText(death, words)}`
  },
  unknown: (death) => {
    if (isUnwatched(death)) return unseenEndText(death)
    if (death.exit.signal === null) return `ended with ${exitText(death)}; why was not seen`
    const isSenderKnown = death.killer !== null || death.signal?.senderStatus === 'none'
    if (isReadyNotice(death)) return `was killed with ${fatalName(death)} by the kernel, ${readyText}`
    const why = isSenderKnown ? `${sentBy(death, 'by')}; why was not seen` : '; its sender was not seen'
    return `was killed with ${fatalName(death)}${why}`
  },
}

/** What sentences within the sentence are made with. */
export const words: Words = { predicate: causeText, name: named }

/** Deeds of a process for which the kernel makes a signal. */
const tellersByWay: Record<string, (death: UnjudgedDeath, killer: string) => string> = {
  reboot: (death, killer) =>
    `${endedBy(death)} because ${killer} called reboot(2) in its pid namespace (its container)`,
  'tracer-exit': (death, killer) =>
    `${endedBy(death)} by the kernel, because ${killer}, which traced it, ended${escalationText(death)}`,
}

function selfText(death: UnjudgedDeath): string {
  if (death.signal?.via === 'reboot') return 'it called reboot(2) in its pid namespace'
  if (death.signal?.via === 'kill-group') return 'it sent the signal to its whole process group'
  return fatalName(death) === 'SIGABRT' ? 'it called abort or raise' : 'it sent the signal to itself'
}

/** `, 20 ms after it had caught SIGBUS (a memory fault of its own)`: what a program that aborts may have stumbled over. */
function afterFaultText({ signal, signals }: UnjudgedDeath): string {
  const fault = signals.findLast(
    (one) => isFault(one.name) && one.senderStatus === 'none' && one.reception === 'caught' && one.via === 'kernel',
  )
  const ms = fault === undefined || signal === null ? -1 : millisecondsBetween(fault.at, signal.at)
  if (fault === undefined || ms < 0 || ms > faultMsMax) return ''
  return `, ${durationText(ms)} after it had caught ${fault.name} (${faultText(fault.name, fault.code)})`
}

/** A program that writes a report of its fault before it aborts takes no longer. */
const faultMsMax = 5_000

/** SIGIO, or with F_SETSIG another signal and the poll(2) event as its si_code (POLL_IN to POLL_HUP). */
function isReadyNotice({ signal }: UnjudgedDeath): boolean {
  if (signal === null || signal.senderStatus !== 'none' || isFault(signal.name)) return false
  return signal.name === 'SIGIO' || (signal.code !== null && signal.code >= 1 && signal.code <= 6)
}

const readyText = 'possibly because a file was ready for which somebody had asked for that signal (F_SETOWN)'

/** True if the process caught the signal that ended it, and then ended in another way, or by sending it to itself. */
export function wasCaught(death: UnjudgedDeath): boolean {
  if (death.signal === null) return false
  if (death.exit.signal === null) return death.exit.code !== null
  return death.exit.signal.number !== death.signal.number || death.signal.reception === 'caught'
}

/** `it caught the signal and exited with code 0 12 ms later`. */
export function caughtText(death: UnjudgedDeath): string {
  const { exit, signal } = death
  const isSame = exit.signal !== null && exit.signal.number === signal?.number
  const died = isSame ? 'then ended itself with it' : `died of ${exitText(death)}`
  return `it caught the signal and ${exit.signal === null ? `exited with ${codeText(death)}` : died}${laterText(signal, death)}`
}

/** Nothing of the end was seen, neither a code nor a signal. */
export function isUnwatched(death: UnjudgedDeath): boolean {
  return death.exit.code === null && death.exit.signal === null && death.signal === null
}

/** The signal that ended it, the caught one where one was caught. */
export function fatalName(death: UnjudgedDeath): string {
  const name = death.signal?.name ?? death.exit.signal?.name
  return name === undefined ? 'a signal' : shortened(terminalText(name), 32)
}

/** `SIGKILL`, `exit code 3`: what the kernel's wait status says. */
export function exitText(death: UnjudgedDeath): string {
  if (death.exit.signal !== null) return shortened(terminalText(death.exit.signal.name), 32)
  return death.exit.code === null ? 'an unknown status' : `exit code ${death.exit.code}`
}

/** ` 12 ms later`; empty where the two times do not follow each other. */
export function laterText(signal: SentSignal | null, death: UnjudgedDeath): string {
  const ms = signal === null ? -1 : millisecondsBetween(signal.at, death.at)
  return ms < 0 ? '' : ` ${durationText(ms)} later`
}

function codeText(death: UnjudgedDeath): string {
  return `code ${death.exit.code ?? 'unknown'}`
}

function endedBy(death: UnjudgedDeath): string {
  return `was ${wasCaught(death) ? 'ended' : 'killed'} with ${fatalName(death)}`
}

function afterCatching(death: UnjudgedDeath): string {
  return wasCaught(death) ? `; ${caughtText(death)}` : ''
}

/** Whom a signal was sent to, if not to this process alone. */
function scopeText({ signal }: UnjudgedDeath): string {
  if (signal?.via === 'kill-group') return ', sent to its whole process group'
  return signal?.via === 'kill-all' ? ', sent to every process it may signal' : ''
}

function coreText(death: UnjudgedDeath): string {
  return death.exit.coreDumped ? ', and a core was dumped' : ''
}

function sentBy(death: UnjudgedDeath, word: 'by' | 'from'): string {
  if (death.killer !== null) return ` ${word} ${named(death.killer, death.victim)}`
  if (death.signal?.senderStatus === 'none') return ` ${word} the kernel`
  return ` ${word} a process that was not seen`
}

/** `sh xdkill.sh (pid 5120, user deploy)`. */
function named(process: Process, victim: Process): string {
  const { pid, user, uid, euid, container } = process
  const parts = [`pid ${pid}`]
  if (user !== null) parts.push(`user ${shortened(terminalText(user), 40)}`)
  else if (uid !== null) parts.push(`uid ${uid}`)
  if (euid !== null && euid !== uid) parts.push(`acting as uid ${euid}`)
  // Whose container it is matters where it reached out of it.
  if (container !== null && container.id !== victim.container?.id) parts.push(`in ${containerText(container)}`)
  return `${processName(process)} (${parts.join(', ')})`
}

function limitText(signal: string): string {
  if (signal === 'SIGXFSZ') return 'a file it wrote reached its size limit (RLIMIT_FSIZE)'
  return 'it used up its limit of processor time (RLIMIT_CPU)'
}

function terminalCause(death: UnjudgedDeath): string {
  const terminal = death.victim.tty ? `its terminal ${shortened(terminalText(death.victim.tty), 40)}` : 'its terminal'
  if (death.signal?.name === 'SIGINT') return `Ctrl-C was pressed at ${terminal}`
  if (death.signal?.name === 'SIGQUIT') return `Ctrl-\\ was pressed at ${terminal}`
  return hangUpText(death, words)
}
