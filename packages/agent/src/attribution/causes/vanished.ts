import type { Gap } from '../loss-log.ts'
import { type CauseRule, doubtsOf, type Ending, type Finding } from './cause.ts'
import { killed } from './killed.ts'

/** It was there before a gap, and is gone after it: nobody saw its end. */
export const vanished: CauseRule = (ending) => {
  if (ending.status !== undefined) return undefined
  const aliveAt = ending.aliveAt ?? ending.at
  const gaps = ending.gapsBetween(aliveAt, ending.at).filter(({ to }) => to > aliveAt)
  return { ...(killedUnseen(ending) ?? endedUnseen(ending, gaps)), gaps }
}

/** A signal that cannot but end a process was seen, and the process is gone: only the end itself is missing. */
function killedUnseen(ending: Ending): Finding | undefined {
  const { fatal } = ending.ladder
  if (fatal === undefined || fatal.record.time < (ending.aliveAt ?? 0n)) return undefined
  const found = killed({ ...ending, status: fatal.record.sig })
  if (found === undefined || found.confidence === 'possible') return undefined
  return { ...found, confidence: 'likely', reasons: ['the fatal signal was seen; its end was not, and it is gone'] }
}

function endedUnseen({ ladder }: Ending, gaps: readonly Gap[]): Finding {
  const isWatched = gaps.length > 0 && gaps.every(({ lost }) => lost > 0)
  return {
    cause: 'unknown',
    fatal: undefined,
    confidence: 'possible',
    reasons: isWatched
      ? ['it is gone, and its end was not seen', ...doubtsOf(gaps, 'before that')]
      : ['it ended while nobody was watching'],
    alternatives: ladder.rungs.length > 0 ? ['a signal from before that time may have ended it'] : [],
  }
}
