import type { ProcessEntry } from '../../process/entry.ts'
import { isRaisedBy } from '../../process/family.ts'
import type { FormerOwner } from '../../process/former-owner.ts'
import type { FormerOwners } from '../../process/former-owners.ts'
import type { Actor, Deed, StalePidfile } from '../judged.ts'
import { senderOf } from '../signals/sender.ts'

/** A signal by number: what every kind of evidence is asked about. Times are nanoseconds since boot. */
export interface Aim {
  readonly killer: Actor
  readonly victim: ProcessEntry
  readonly victimStart: bigint
  /** When the signal was sent. */
  readonly at: bigint
  /** The pid that the killer named, as it counts in its own pid namespace. */
  readonly number: number
  /** True if it came through a descriptor (pidfd): the number was used when that was opened, not when it was sent. */
  readonly isHeld: boolean
  /** Who held this number before the victim did, the latest first. */
  readonly owners: readonly FormerOwner[]
  /** The victim belongs to what the killer, or its shell, has started and knows by itself. */
  readonly isRaised: boolean
}

/** What one kind of evidence tells of an aim. */
export interface Suspicion {
  /** Whom it was meant for; undefined if that one ended before the watching, or is forgotten. */
  readonly owner: FormerOwner | undefined
  /** Since when the number was known to the killer, which is before the victim had it. */
  readonly knownAt: bigint
  readonly confidence: 'certain' | 'likely' | 'possible'
  readonly pidfile: StalePidfile | undefined
  /** What is left of it if the killer, or a relative, looked for pids while the victim was there. */
  readonly whenLookedUp: 'less' | 'nothing'
  /** For people. */
  readonly reason: string
}

/** The number a killer named and who had it before; undefined if it named none, or not this victim's. */
export function aimOf({ killer, ending, finding }: Deed, formerOwners: FormerOwners): Aim | undefined {
  const { victim } = ending
  const { fatal } = finding
  const victimStart = victim.start
  if (killer === undefined || fatal === undefined || victimStart === undefined) return undefined
  const { via } = senderOf(fatal, victim)
  const own = numberOf(victim, killer.process)
  if (own === undefined) return undefined
  const { arg } = fatal.record
  const isHeld = via === 'pidfd'
  const named = via === 'kill-group' && arg !== undefined ? -arg : arg
  const isNamed = byNumber.has(via) && (isHeld || named === undefined || named === own)
  if (!isNamed) return undefined
  return {
    killer,
    victim,
    victimStart,
    at: fatal.record.time,
    number: own,
    isHeld,
    owners: formerOwners
      .of(own, isOfInitialNamespace(killer.process) ? undefined : killer.process.nsId)
      .filter(({ endedAt }) => endedAt <= victimStart),
    isRaised: isRaisedBy(victim, killer.process),
  }
}

/** Ways to send a signal to one number. A group is one when it is named after the victim, its leader. */
const byNumber: ReadonlySet<string> = new Set(['kill', 'kill-group', 'tkill', 'tgkill', 'sigqueue', 'pidfd', 'unknown'])

/** The victim's pid as the killer sees it; undefined where the two namespaces between them are not known. */
function numberOf(victim: ProcessEntry, killer: ProcessEntry): number | undefined {
  if (isOfInitialNamespace(killer)) return victim.pid
  return victim.nsId === killer.nsId ? victim.nsPid : undefined
}

/** A process whose own pid is the one that probes tell counts like them; so does one of which nothing else is known. */
function isOfInitialNamespace({ pid, nsPid }: ProcessEntry): boolean {
  return nsPid === undefined || nsPid === pid
}
