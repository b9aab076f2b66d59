import type { ProcessEntry } from '../../process/entry.ts'
import { ownSession } from '../../process/family.ts'
import { type FormerOwner, isLasting } from '../../process/former-owner.ts'
import { programName } from '../../process/service.ts'
import type { Aim, Suspicion } from './aim.ts'
import { isShell } from './shells.ts'
import { programOf } from './words.ts'

/** One who forks more has had a child of nearly every pid. */
const childrenMax = 1_000

/** What scripts wait with is nothing that they remember. */
const waiting: ReadonlySet<string> = new Set(['sleep', 'usleep', 'tail', 'timeout', 'inotifywait'])

/**
 * The former owner was a child of the killer, or of the script that started it, and the victim has nothing to do with
 * either: a supervisor that did not notice the end of its child. Only children that may be remembered count: they ran
 * for a second or more, and where the parent is a shell, in the background.
 */
export function oldChild(aim: Aim): Suspicion | undefined {
  if (aim.isRaised || aim.isHeld || aim.killer.process.pid === 1) return undefined
  for (const parent of ownSession(aim.killer.process)) {
    const owner = aim.owners.find((one) => isChildOf(one, parent) && isRemembered(one, parent))
    if (owner === undefined) continue
    const who = parent === aim.killer.process ? 'the killer' : `${programOf(parent.program)} (pid ${parent.pid})`
    return {
      owner,
      knownAt: owner.start,
      confidence: parent.children > childrenMax ? 'possible' : 'likely',
      pidfile: undefined,
      whenLookedUp: 'nothing',
      reason: `${who} had started the process that had pid ${aim.number} before, and has nothing to do with the victim`,
    }
  }
  return undefined
}

function isChildOf({ parentPid, parentStart }: FormerOwner, parent: ProcessEntry): boolean {
  return parent.start !== undefined && parentPid === parent.pid && parentStart === parent.start
}

function isRemembered(owner: FormerOwner, parent: ProcessEntry): boolean {
  if (!isLasting(owner) || waiting.has(programName(owner.process.program))) return false
  return owner.inBackground || !isShell(parent.program)
}
