import { termSignalOf } from '../end.ts'
import type { Ladder } from '../signals/ladder.ts'
import { type CauseRule, doubtsOf, stopTimeNs } from './cause.ts'

/** Its wait status names a signal that no record told of. */
export const unseen: CauseRule = ({ at, status, ladder, gapsBetween }) => {
  const number = termSignalOf(status ?? 0)
  if (number === 0) return undefined
  const gaps = gapsBetween(at - stopTimeNs, at)
  return {
    cause: 'unknown',
    fatal: undefined,
    confidence: 'possible',
    reasons: ['its death was seen, the signal that caused it was not', ...doubtsOf(gaps, 'before it')],
    alternatives: [
      ...(number === sigkill ? ['strict seccomp ends a process like this, without a signal'] : []),
      ...tracerText(ladder),
    ],
    gaps,
  }
}

const sigkill = 9
const sigstop = 19

/** PTRACE_ATTACH stops a process in the kernel's name; a tracer can then let it go on with any signal, which is not seen. */
function tracerText({ rungs }: Ladder): string[] {
  const attached = rungs.findLast(({ record }) => record.sig === sigstop && record.info === 'priv')
  if (attached?.record.pid === undefined) return []
  return [
    `process ${attached.record.pid} had stopped it as a tracer does, and may have given it the signal (ptrace(2))`,
  ]
}
