import { termSignalOf } from '../end.ts'
import { type CauseRule, doubtsOf, stopTimeNs } from './cause.ts'

/** It exited, and nobody had asked it to. */
export const exited: CauseRule = ({ at, status, passedOn, lost, gapsBetween }) => {
  if (status === undefined || termSignalOf(status) !== 0) return undefined
  const gaps = gapsBetween(at - stopTimeNs, at)
  const doubts = doubtsOf(gaps, 'before it')
  const isSure = doubts.length === 0
  return {
    cause: 'exit',
    fatal: undefined,
    confidence: isSure ? 'certain' : 'likely',
    reasons: [
      isSure ? 'its exit was seen, and no signal before it that asked for it' : 'its exit was seen',
      ...(passedOn === undefined
        ? []
        : [`its exit code names what its child ${passedOn.process.pid} had just died of`]),
      ...doubts,
    ],
    alternatives: [
      ...(isSure ? [] : ['somebody may have asked it to end, and that was not seen']),
      ...(lost === undefined ? [] : [`it may have failed because its child ${lost.process.pid} had just died`]),
    ],
    gaps,
    passedOn,
    lost: passedOn === undefined ? lost : undefined,
  }
}
