import type { DeathEvent, WrongPid } from '../event.ts'
import type { Process } from '../process.ts'
import { type StalePidfileEvidence, stalePidfileAmong } from '../stale-pidfile.ts'
import { millisecondsBetween } from '../vocabulary.ts'
import { processName } from './process-name.ts'
import { shortened, terminalText } from './terminal-text.ts'
import { durationText } from './time-text.ts'

type Mistaken = Pick<DeathEvent, 'at' | 'victim' | 'wrongPid' | 'evidence'>

/**
 * Whom the signal was meant for, as the end of the verdict's sentence, or nothing:
 * `; it was most likely meant for worker, which had pid 4242 until 3 h before and was still named in /run/worker.pid,
 * written 5 h before`.
 */
export function mistakeText(death: Mistaken): string {
  const { at, wrongPid } = death
  if (wrongPid !== null) {
    const { previousOwner, endedAt, pidfile, confidence } = wrongPid
    const until = endedAt === null ? ' before' : ` until ${before(endedAt, at)}`
    const named = pidfile === null ? '' : ` and was still named in ${fileText(wrongPid, at)}`
    return `; it was ${hedge(confidence)}meant for ${processName(previousOwner, 48)}, which had ${sharedPid(previousOwner, death.victim)}${until}${named}`
  }
  const stale = stalePidfileAmong(death.evidence)
  if (stale === undefined) return ''
  return `; it was ${hedge(stale.confidence)}meant for a process that had pid ${stale.pid} before, still named in ${fileText(fileOf(stale), at)}`
}

/** The same as a line of its own: `most likely worker (pid 4242, ended 3 h before, still named in /run/worker.pid)`. */
export function meantLine({ at, victim, wrongPid, evidence }: Mistaken): string | undefined {
  if (wrongPid === null) {
    const stale = stalePidfileAmong(evidence)
    if (stale === undefined) return undefined
    return `${hedgeWord(stale.confidence)} a process that had pid ${stale.pid} before, still named in ${fileText(fileOf(stale), at)}`
  }
  const { previousOwner, endedAt, pidfile, confidence } = wrongPid
  const facts = [sharedPid(previousOwner, victim)]
  if (endedAt !== null) facts.push(`ended ${before(endedAt, at)}`)
  if (pidfile !== null) facts.push(`still named in ${fileText(wrongPid, at)}`)
  return `${hedgeWord(confidence)} ${processName(previousOwner)} (${facts.join(', ')})`
}

/** The pid that both had. Inside a container it is not the one that the host knows them by. */
function sharedPid(previousOwner: Process, victim: Process): string {
  const { pid, nsPid } = previousOwner
  if (pid === victim.pid || nsPid === null || nsPid !== victim.nsPid) return `pid ${pid}`
  return `pid ${nsPid} in their pid namespace`
}

type File = Pick<WrongPid, 'pidfile' | 'pidfileWrittenAt'>

function fileOf({ path, writtenAt }: StalePidfileEvidence): File {
  return { pidfile: path, pidfileWrittenAt: writtenAt }
}

/** `/run/worker.pid, written 5 h before`. */
function fileText({ pidfile, pidfileWrittenAt = null }: File, at: string): string {
  const path = shortened(terminalText(pidfile ?? ''), 120)
  return pidfileWrittenAt === null ? path : `${path}, written ${before(pidfileWrittenAt, at)}`
}

function before(earlier: string, at: string): string {
  return `${durationText(Math.max(0, millisecondsBetween(earlier, at)))} before`
}

function hedge(confidence: string): string {
  return confidence === 'certain' ? '' : `${hedgeWord(confidence)} `
}

function hedgeWord(confidence: string): string {
  if (confidence === 'certain') return 'certainly'
  return confidence === 'likely' ? 'most likely' : 'possibly'
}
