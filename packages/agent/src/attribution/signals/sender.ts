import type { SentSignal } from '@whokilled/shared/event'
import type { SignalRecord } from '../../record/record.ts'
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
 * Tells the sender of a signal from the context it was made in. The process that was running is the sender inside one
 * of the six sending system calls, in a task, and not while it ends; when it wrote to cgroup.kill; and in the few other
 * deeds of a process for which the kernel makes a signal as no others do. What siginfo claims is never used: it can be
 * forged.
 */
export function senderOf(
  { record, by }: Received,
  target: { readonly pid: number; readonly nsPid: number | undefined },
): Sender {
  const isSelf = record.pid !== undefined && record.pid === target.pid
  const seen = by === undefined ? 'unseen' : 'seen'
  const inTask = (record.ctx ?? 0) === 0 && record.exiting !== 1
  // What these calls send has a siginfo. Without, it is the OOM killer's: the one in the call has run out of memory there.
  const isSentByCall = record.info !== 'priv' || isSelf
  const via = inTask && isSentByCall ? viaOfCall(record) : undefined
  if (via !== undefined) return { via, status: seen, isSelf }
  if (isCgroupKill(record, isSelf) && inTask) return { via: 'cgroup.kill', status: seen, isSelf }
  if (isByEnding(record) && !isSelf) {
    // A process that ends signals the children that asked for it (prctl(2), PR_SET_PDEATHSIG).
    if (record.info === 'noinfo') return { via: 'kernel', status: seen, isSelf }
    if (isSingleKill(record)) return { via: 'tracer-exit', status: seen, isSelf }
  }
  if (record.call === undefined && record.info === undefined) return withoutCall(record, isSelf, seen)
  if (record.call === 'other' && inTask) {
    if (isSingleKill(record) && target.nsPid === 1) return { via: 'reboot', status: seen, isSelf }
    // Made in the name of the running process, in ptrace(2) for one: siginfo will name it, too.
    if (record.info === 'noinfo' && !isSelf) return { via: 'unknown', status: seen, isSelf }
  }
  if (record.code === siTimer || timerSignals.has(record.sig)) return { via: 'timer', status: 'none', isSelf: false }
  if (record.info === 'priv' && terminalSignals.has(record.sig)) return { via: 'tty', status: 'none', isSelf: false }
  return { via: 'kernel', status: 'none', isSelf }
}

/**
 * Whether the process that was running made the signal by ending. In an interrupt that process has nothing to do with it,
 * be it ending or not.
 */
export function isByEnding({ exiting, ctx = 0 }: SignalRecord): boolean {
  return exiting === 1 && ctx === 0
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

/**
 * SIGKILL for one thread in the name of the kernel: that is sent by reboot(2) to the first process of a pid namespace
 * (kernel/pid_namespace.c), and by a tracer that ends, if it had asked for that (PTRACE_O_EXITKILL, kernel/ptrace.c).
 * Limits, the OOM killer and the end of a pid namespace send it to whole processes.
 */
function isSingleKill(record: SignalRecord): boolean {
  return record.sig === sigkill && record.info === 'priv' && record.group === 0
}

/** A probe that tells no system call: si_code of kill, tkill and sigqueue says that a process sent it. */
function withoutCall(record: SignalRecord, isSelf: boolean, seen: 'seen' | 'unseen'): Sender {
  const isSent = record.code === 0 || record.code === -1 || record.code === -6
  return isSent ? { via: 'unknown', status: seen, isSelf } : { via: 'kernel', status: 'none', isSelf }
}
