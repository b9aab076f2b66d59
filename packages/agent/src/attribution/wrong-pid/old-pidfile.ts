import { areRelated, commonAncestor, descendsFrom } from '../../process/family.ts'
import type { FormerOwner } from '../../process/former-owner.ts'
import { textOf } from '../../record/bytes.ts'
import type { Aim, Suspicion } from './aim.ts'
import { namesNumber } from './arguments.ts'
import type { PidfileLog, PidfileRead } from './pidfile-log.ts'
import { earlier, pidfileOf, programOf } from './words.ts'

/**
 * File systems round times down, to a second at worst, and the kernel to a tick: a file that is at least this much
 * older than a process was written before it.
 */
const marginNs = 1_000_000_000n

/** The same for a process from before the watching: the clock may have been set since, and nobody saw it. */
const unwatchedMarginNs = 60_000_000_000n

/** How long a number that a relative has read may be on somebody's mind: on a screen, in a script's variable. */
export const rememberedNs = 900_000_000_000n

/** A number that a relative read is taken for the killer's without doubt within this time. */
const atOnceNs = 90_000_000_000n

/** How long after it opens its pidfile a daemon has written it. */
const writingNs = 10_000_000_000n

/**
 * Whether the killer may have learnt the number of the victim itself: it, or a relative, read a pidfile that names it
 * and that may have been written for the victim. Then nothing is wrong.
 */
export function readItsOwn(aim: Aim, log: PidfileLog): boolean {
  return log.naming(aim.number).some((read) => isBefore(read, aim) && isOfKiller(read, aim) && !isOlder(read, aim))
}

/** The killer, or a relative, read the number from a pidfile that is older than the victim. */
export function oldPidfile(aim: Aim, log: PidfileLog): Suspicion | undefined {
  const reads = log.naming(aim.number).filter((one) => isBefore(one, aim) && isOfKiller(one, aim) && isOlder(one, aim))
  const read = reads.findLast((one) => isOwn(one, aim)) ?? reads.at(-1)
  if (read === undefined) return undefined
  const { written } = read
  const owners = ownersThen(read, aim)
  const [owner] = owners
  return {
    owner,
    knownAt: written?.earliest ?? read.seenSince,
    confidence: confidenceOf(read, owners, aim),
    pidfile: pidfileOf(read),
    whenLookedUp: 'less',
    reason: reasonOf(read, owner, aim),
  }
}

/** A pidfile that somebody read and that still names a former owner. */
export function pidfileNaming(owner: FormerOwner, aim: Aim, log: PidfileLog): PidfileRead | undefined {
  return log
    .naming(aim.number)
    .findLast((read) => isBefore(read, aim) && isOlder(read, aim) && ownersThen(read, aim)[0] === owner)
}

function isBefore(read: PidfileRead, { at }: Aim): boolean {
  return read.at <= at
}

/** The killer's own, or a relative's of not long ago. */
function isOfKiller(read: PidfileRead, { killer, at }: Aim): boolean {
  if (read.by === killer.process) return true
  return at - read.at <= rememberedNs && areRelated(read.by, killer.process)
}

/** The file named the number before the victim had it. That needs no file's time if somebody read it before, too. */
function isOlder({ seenSince, written }: PidfileRead, { victim, victimStart }: Aim): boolean {
  if (seenSince < victimStart) return true
  if (written === undefined) return false
  return written.latest <= victimStart - (victim.seeded ? unwatchedMarginNs : marginNs)
}

function confidenceOf(read: PidfileRead, owners: readonly FormerOwner[], aim: Aim): Suspicion['confidence'] {
  const knowsVictim = aim.isRaised && read.by !== aim.killer.process
  if (knowsVictim || isDoubtful(read, aim)) return 'possible'
  return isProven(read, owners, aim) ? 'certain' : 'likely'
}

/**
 * A clock may have been set before the watching, above all at boot: a file may only look older than the boot. And who
 * opened it for writing while the victim was there may have written it, and given it an older time (cp -p, touch -r).
 */
function isDoubtful({ seenSince, written, write }: PidfileRead, { victim, victimStart }: Aim): boolean {
  if (write !== undefined && write.at >= victimStart) return true
  return victim.seeded && seenSince >= victimStart && (written === undefined || written.earliest < 0n)
}

/**
 * Who held the number when the file was written; or when it was read, where the file's time is not known. The time may
 * have been rounded down, so one who began soon after it may be meant, too; who held it at that very time comes first.
 */
function ownersThen({ seenSince, written }: PidfileRead, { owners }: Aim): FormerOwner[] {
  const { earliest, latest } = written ?? { earliest: seenSince, latest: seenSince }
  const possible = owners.filter(({ start, endedAt }) => start - marginNs <= earliest && endedAt >= latest)
  return possible.toSorted((a, b) => Number(a.start > earliest) - Number(b.start > earliest))
}

/** Seen from the writing to the signal: nothing of it is inferred. */
function isProven(read: PidfileRead, [owner, ...others]: readonly FormerOwner[], aim: Aim): boolean {
  const { written, write } = read
  if (owner === undefined || written === undefined || write === undefined) return false
  if (read.isWriting || read.isInferred) return false
  const isWriteSeen =
    write.nsId === aim.killer.process.nsId &&
    write.at <= written.latest + marginNs &&
    written.latest - write.at <= writingNs
  const isOnlyOne = others.length === 0 && written.earliest === written.latest && owner.start <= write.at
  return isWriteSeen && isOnlyOne && owner.isEndSeen && isOwn(read, aim)
}

/** Read by the killer, by a command it started for that, or by a neighbour just before the killer was given it. */
function isOwn(read: PidfileRead, { killer, number, at }: Aim): boolean {
  if (read.by === killer.process || descendsFrom(read.by, killer.process)) return true
  const isGiven = at - read.at <= atOnceNs && namesNumber(killer.program.args, number)
  return isGiven && commonAncestor(read.by, killer.process) !== undefined
}

/** A pidfile that the killer or a relative read while the victim was there, and what it named is not known. */
export function unknownPidfile({ victimStart, at, killer }: Aim, log: PidfileLog): string | undefined {
  const read = log.unknown.findLast(
    (one) => one.at >= victimStart && one.at <= at && areRelated(one.by, killer.process),
  )
  return read && textOf(read.path)
}

function reasonOf(read: PidfileRead, owner: FormerOwner | undefined, aim: Aim): string {
  const { path } = pidfileOf(read)
  const who = read.by === aim.killer.process ? 'the killer' : `${programOf(read.by.program)} (pid ${read.by.pid})`
  const when = earlier(read.at, aim.at)
  const { written } = read
  const age =
    written !== undefined && written.latest < aim.victimStart
      ? `was written ${earlier(written.latest, aim.victimStart)} the victim had that pid`
      : `was read ${earlier(read.seenSince, aim.victimStart)} the victim had that pid`
  if (read.isInferred) {
    return `${who} read ${path} ${when} the signal; what had pid ${aim.number} then had written it, and it ${age}`
  }
  const then = owner === undefined ? '; who had it then was not seen' : ''
  return `${who} found pid ${aim.number} in ${path} ${when} the signal, and that file ${age}${then}`
}
