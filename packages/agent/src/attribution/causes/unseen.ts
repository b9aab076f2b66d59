import { type CauseRule, doubtsOf, stopTimeNs, termSignalOf } from './cause.ts'

/** Its wait status names a signal that no record told of. */
export const unseen: CauseRule = ({ at, status, gapsBetween }) => {
  const number = termSignalOf(status ?? 0)
  if (number === 0) return undefined
  const gaps = gapsBetween(at - stopTimeNs, at)
  return {
    cause: 'unknown',
    fatal: undefined,
    confidence: 'possible',
    reasons: ['its death was seen, the signal that caused it was not', ...doubtsOf(gaps, 'before it')],
    alternatives: number === 9 ? ['strict seccomp ends a process like this, without a signal'] : [],
    gaps,
  }
}
