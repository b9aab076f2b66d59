import type { SentSignal } from '@whokilled/shared/event'
import { defaultAction } from '@whokilled/shared/signals'
import type { SignalRecord } from '../../record/record.ts'

/**
 * What a process made of a signal, as far as the probe could tell. The kernel reports as ignored also what came when
 * the process was ending already (prepare_signal in kernel/signal.c of newer kernels), and what the first process of a
 * pid namespace is spared by those inside it.
 */
export function receptionOf(
  { sig, disp, blocked, result }: SignalRecord,
  target: { readonly nsPid: number | undefined },
): NonNullable<SentSignal['reception']> | undefined {
  if (disp === undefined) return undefined
  if (disp === 'ignore') return 'ignored'
  if (result === 'ignored') {
    const action = defaultAction(sig)
    const isSpared = target.nsPid === 1 && disp === 'default'
    return isSpared || action === 'ignore' || action === 'continue' ? 'ignored' : 'too-late'
  }
  if (blocked === 1) return 'blocked'
  return disp === 'handler' ? 'caught' : 'default'
}
