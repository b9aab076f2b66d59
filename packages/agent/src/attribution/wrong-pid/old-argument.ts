import type { ProcessEntry } from '../../process/entry.ts'
import { ownSession } from '../../process/family.ts'
import type { Aim, Suspicion } from './aim.ts'
import { namesNumber } from './arguments.ts'
import { earlier, programOf } from './words.ts'

/**
 * The killer, or the script that started it, was given the number as an argument before the victim existed: then it
 * was another process's. One whose former owner is not known proves nothing, since numbers are given for much else.
 */
export function oldArgument(aim: Aim): Suspicion | undefined {
  for (const process of ownSession(aim.killer.process)) {
    const knownAt = givenAt(process, aim)
    const owner =
      knownAt === undefined ? undefined : aim.owners.find((one) => one.start <= knownAt && one.endedAt >= knownAt)
    if (knownAt === undefined || owner === undefined) continue
    const who = process === aim.killer.process ? 'the killer' : `${programOf(process.program)} (pid ${process.pid})`
    return {
      owner,
      knownAt,
      confidence: aim.isRaised ? 'possible' : 'likely',
      pidfile: undefined,
      whenLookedUp: 'less',
      reason: `${who} was started with pid ${aim.number} among its arguments ${earlier(knownAt, aim.victimStart)} the victim had that pid`,
    }
  }
  return undefined
}

/** When it got arguments that name the number; undefined if it has none, or got them when the victim was there. */
function givenAt(process: ProcessEntry, { killer, number, victimStart }: Aim): bigint | undefined {
  if (!process.hasExeced) return undefined
  const isKiller = process === killer.process
  const { args } = isKiller ? killer.program : process.program
  // What it runs now is not what it ran when it killed: when that one began is no longer known.
  if (isKiller && args !== process.program.args) return undefined
  const at = process.execedAt ?? process.start
  return at !== undefined && at < victimStart && namesNumber(args, number) ? at : undefined
}
