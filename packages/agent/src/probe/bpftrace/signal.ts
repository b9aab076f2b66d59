/** What the probe saw of the context in which a signal was made. */
export interface SignalContext {
  readonly sig: number
  readonly code: number
  /** The sending system call that the thread is in, as seen at its entry. */
  readonly sendingCall: string | undefined
  readonly arg: number
  /** From the registers at the end of the kernel stack: 0x33 or 0x23 if they are those of a user program. */
  readonly codeSegment: number
  readonly callNumber: number
  /** False in an interrupt that has a stack of its own. */
  readonly onTaskStack: boolean
  /** Flags of the task (linux/sched.h). */
  readonly flags: number
}

const exitingFlag = 0x4
const kernelThreadFlag = 0x20_0000
const interrupt = 2

const siUser = 0
const siKernel = 0x80
/** Signals that the processor's faults make: ILL, TRAP, BUS, FPE, SEGV, and SYS. */
const faultSignals = new Set([4, 5, 7, 8, 11, 31])

/**
 * Derives `call`, `arg`, `ctx`, `exiting`, `info` and `code` of a signal record.
 *
 * The tracepoint does not show the siginfo pointer. The kernel prints SEND_SIG_NOINFO as si_code 0 and SEND_SIG_PRIV
 * as SI_KERNEL (TP_STORE_SIGINFO in include/trace/events/signal.h). Code 0 comes from a real siginfo in the six
 * sending calls alone, and SI_KERNEL comes from one for faults alone; so both can be told apart by the context.
 */
export function contextOfSignal(seen: SignalContext) {
  const exiting = (seen.flags & exitingFlag) === 0 ? 0 : 1
  const call = callOf(seen)
  const isSent = seen.sendingCall !== undefined && exiting === 0 && seen.onTaskStack
  return {
    ...infoOf(seen, isSent),
    ...(call !== undefined && { call }),
    ...(seen.sendingCall !== undefined && { arg: seen.arg }),
    ctx: seen.onTaskStack ? 0 : interrupt,
    exiting,
  }
}

function infoOf({ code, sig }: SignalContext, isSent: boolean): { info: string; code?: number } {
  if (code === siUser && !isSent) return { info: 'noinfo' }
  if (code === siKernel && !faultSignals.has(sig) && !isSent) return { info: 'priv' }
  return { info: 'user', code }
}

/** Numbers of write, pwrite64, writev and of exit, exit_group: 64-bit, then 32-bit programs (x86). */
const calls = [
  { codeSegment: 0x33, write: [1, 18, 20], exit: [60, 231] },
  { codeSegment: 0x23, write: [4, 181, 146], exit: [1, 252] },
]

function callOf({ sendingCall, codeSegment, callNumber, onTaskStack, flags }: SignalContext): string | undefined {
  if (!onTaskStack || (flags & kernelThreadFlag) !== 0) return 'none'
  if (sendingCall !== undefined) return sendingCall
  const numbers = calls.find((abi) => abi.codeSegment === codeSegment)
  if (numbers === undefined) return undefined
  if (callNumber < 0) return 'none'
  if (numbers.write.includes(callNumber)) return 'write'
  return numbers.exit.includes(callNumber) ? 'exit' : 'other'
}
