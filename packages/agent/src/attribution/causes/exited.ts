import { type CauseRule, stopTimeNs, termSignalOf } from './cause.ts'

/** It exited, and nobody had asked it to. */
export const exited: CauseRule = ({ victim, at, status, lostBetween, watchedSince }) => {
  if (status === undefined || termSignalOf(status) !== 0) return undefined
  const doubts: string[] = []
  const lost = lostBetween(at - stopTimeNs, at)
  if (lost > 0) doubts.push(`${lost} ${lost === 1 ? 'record was' : 'records were'} lost before it`)
  if (victim.seeded && at - watchedSince < stopTimeNs) doubts.push('the watching had only just begun')
  const isSure = doubts.length === 0
  return {
    cause: 'exit',
    fatal: undefined,
    confidence: isSure ? 'certain' : 'likely',
    reasons: [isSure ? 'its exit was seen, and no signal before it that asked for it' : 'its exit was seen', ...doubts],
    alternatives: isSure ? [] : ['somebody may have asked it to end, and that was not seen'],
  }
}
