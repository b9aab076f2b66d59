import { type CauseRule, stopTimeNs, termSignalOf } from './cause.ts'

/** Its wait status names a signal that no record told of. */
export const unseen: CauseRule = ({ at, status, lostBetween, watchedSince }) => {
  const number = termSignalOf(status ?? 0)
  if (number === 0) return undefined
  const reasons = ['its death was seen, the signal that caused it was not']
  const lost = lostBetween(at - stopTimeNs, at)
  if (lost > 0) reasons.push(`${lost} ${lost === 1 ? 'record was' : 'records were'} lost before it`)
  else if (at - watchedSince < stopTimeNs) reasons.push('the watching had only just begun')
  return {
    cause: 'unknown',
    fatal: undefined,
    confidence: 'possible',
    reasons,
    alternatives: number === 9 ? ['strict seccomp ends a process like this, without a signal'] : [],
  }
}
