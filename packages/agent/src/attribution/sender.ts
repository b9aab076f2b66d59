import type { SentSignal } from '@whokilled/shared/event'
import type { SignalRecord } from '../record/record.ts'
import type { Received } from './ladder.ts'

/** Which way a signal came, and whether the process that was running when it was made is who sent it. */
export interface Sender {
  readonly via: SentSignal['via']
  readonly status: SentSignal['senderStatus']
  /** True if the target sent it to itself. */
  readonly isSelf: boolean
}

/** si_code of a timer of the process's own (SI_TIMER, asm-generic/siginfo.h). */
const siTimer = -2
const sigkill = 9
const timerSignals = new Set([14, 26, 27])
const terminalSignals = new Set([1, 2, 3, 20, 21, 22])

/**
 * Tells the sender of a signal from the context it was made in. The process that was running is the sender only
 * inside one of the six sending system calls, in a task, and not while it ends; or when it wrote to cgroup.kill.
 * What siginfo claims is never used: it can be forged.
 */
export function senderOf({ record, by }: Received, target: { readonly pid: number }): Sender {
  const isSelf = record.pid !== undefined && record.pid === target.pid
  const seen = by === undefined ? 'unseen' : 'seen'
  const inTask = (record.ctx ?? 0) === 0 && record.exiting !== 1
  const via = inTask ? viaOfCall(record) : undefined
  if (via !== undefined) return { via, status: seen, isSelf }
  if (isCgroupKill(record, isSelf) && inTask) return { via: 'cgroup.kill', status: seen, isSelf }
  // A process that ends signals the children that asked for it (prctl(2), PR_SET_PDEATHSIG).
  if (record.exiting === 1 && record.info === 'noinfo' && !isSelf) return { via: 'kernel', status: seen, isSelf }
  if (record.call === undefined && record.info === undefined) return withoutCall(record, isSelf, seen)
  // Made for another process in a system call of the running one, such as ptrace(2) or kill of a 32-bit program.
  if (record.call === 'other' && record.info === 'noinfo' && inTask && !isSelf) {
    return { via: 'unknown', status: 'unseen', isSelf }
  }
  if (record.code === siTimer || timerSignals.has(record.sig)) return { via: 'timer', status: 'none', isSelf: false }
  if (record.info === 'priv' && terminalSignals.has(record.sig)) return { via: 'tty', status: 'none', isSelf: false }
  return { via: 'kernel', status: 'none', isSelf }
}

function viaOfCall({ call, arg }: SignalRecord): SentSignal['via'] | undefined {
  switch (call) {
    case 'kill':
      if (arg === undefined || arg > 0) return 'kill'
      return arg === -1 ? 'kill-all' : 'kill-group'
    case 'tkill':
    case 'tgkill':
      return call
    case 'rt_sigqueueinfo':
    case 'rt_tgsigqueueinfo':
      return 'sigqueue'
    case 'pidfd_send_signal':
      return 'pidfd'
    default:
      return undefined
  }
}

/** Writing to cgroup.kill makes SIGKILL for single threads with no siginfo (kernel/cgroup/cgroup.c). */
function isCgroupKill(record: SignalRecord, isSelf: boolean): boolean {
  return record.sig === sigkill && record.call === 'write' && record.info === 'noinfo' && record.group === 0 && !isSelf
}

/** A probe that tells no system call: si_code of kill, tkill and sigqueue says that a process sent it. */
function withoutCall(record: SignalRecord, isSelf: boolean, seen: 'seen' | 'unseen'): Sender {
  const isSent = record.code === 0 || record.code === -1 || record.code === -6
  return isSent ? { via: 'unknown', status: seen, isSelf } : { via: 'kernel', status: 'none', isSelf }
}
