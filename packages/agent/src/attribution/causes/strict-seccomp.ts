import { termSignalOf } from '../end.ts'
import { type CauseRule, doubtsOf, stopTimeNs } from './cause.ts'

const sigkill = 9

/** SECCOMP_MODE_STRICT (seccomp(2)). */
const strict = 1

/**
 * It ran in the strict mode of seccomp and died of SIGKILL though nobody had sent one: the kernel ends who calls what is
 * forbidden in that mode at once, without a signal (__secure_computing_strict in kernel/seccomp.c).
 */
export const strictSeccomp: CauseRule = ({ at, status, seccomp, gapsBetween }) => {
  if (seccomp !== strict || termSignalOf(status ?? 0) !== sigkill) return undefined
  const gaps = gapsBetween(at - stopTimeNs, at)
  const isSure = gaps.length === 0
  return {
    cause: 'seccomp',
    fatal: undefined,
    confidence: isSure ? 'certain' : 'likely',
    reasons: [
      'it ran in the strict mode of seccomp, and its death by SIGKILL was seen without a signal',
      ...doubtsOf(gaps, 'before it'),
    ],
    alternatives: isSure ? [] : ['somebody may have killed it, and that was not seen'],
    gaps,
  }
}
