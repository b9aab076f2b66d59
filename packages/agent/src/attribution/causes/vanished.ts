import type { CauseRule } from './cause.ts'

/** It was there before a time without watching, and is gone after it: that it ended is all that is known. */
export const vanished: CauseRule = ({ status, ladder }) => {
  if (status !== undefined) return undefined
  return {
    cause: 'unknown',
    fatal: undefined,
    confidence: 'possible',
    reasons: ['it ended while nobody was watching'],
    alternatives: ladder.rungs.length > 0 ? ['a signal from before that time may have ended it'] : [],
  }
}
