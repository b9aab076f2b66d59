/** What the probe saw of the context in which a signal was made. */
export interface SignalContext {
  readonly sig: number
  readonly code: number
  /** The sending system call that the thread is in, as seen at its entry; calls of 32-bit programs are not seen there. */
  readonly sendingCall: string | undefined
  /** The first argument of that call. */
  readonly arg: number
  /** From the registers at the end of the kernel stack: 0x33 or 0x23 if they are those of a user program. */
  readonly codeSegment: number
  readonly callNumber: number
  readonly callArgument: number
  /** Whether the call was made as a 32-bit program makes it (TS_COMPAT), which a 64-bit program may do, too. */
  readonly is32Bit: boolean
  /** False in an interrupt that has a stack of its own. */
  readonly onTaskStack: boolean
  /** Flags of the task (linux/sched.h). */
  readonly flags: number
}

const exitingFlag = 0x4
/** PF_IO_WORKER and PF_KTHREAD: threads that the kernel made, which are never in a system call. */
const kernelMadeFlags = 0x20_0010
const interrupt = 2

const sigalrm = 14
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
  const sending = seen.sendingCall ?? sending32Bit(seen)
  const isSent = sending !== undefined && exiting === 0 && seen.onTaskStack
  const call = callOf(seen, sending)
  return {
    ...infoOf(seen, isSent),
    ...(call !== undefined && { call }),
    ...(sending !== undefined && { arg: seen.sendingCall === undefined ? seen.callArgument : seen.arg }),
    ctx: seen.onTaskStack && !isOfAlarm(seen) ? 0 : interrupt,
    exiting,
  }
}

/** setitimer(2) of real time runs out in an interrupt, which in a user program has no stack of its own. */
function isOfAlarm({ sig, code, callNumber, sendingCall }: SignalContext): boolean {
  return sig === sigalrm && code === siKernel && callNumber < 0 && sendingCall === undefined
}

function infoOf({ code, sig }: SignalContext, isSent: boolean): { info: string; code?: number } {
  if (code === siUser && !isSent) return { info: 'noinfo' }
  if (code === siKernel && !faultSignals.has(sig) && !isSent) return { info: 'priv' }
  return { info: 'user', code }
}

function callOf(seen: SignalContext, sending: string | undefined): string | undefined {
  if (!seen.onTaskStack || (seen.flags & kernelMadeFlags) !== 0) return 'none'
  if (sending !== undefined) return sending
  if (!hasUserRegisters(seen)) return undefined
  if (seen.callNumber < 0) return 'none'
  const numbers = seen.is32Bit ? calls32Bit : calls64Bit
  const number = seen.is32Bit ? seen.callNumber : seen.callNumber & ~x32Bit
  if (numbers.write.includes(number)) return 'write'
  return numbers.exit.includes(number) ? 'exit' : 'other'
}

/**
 * The sending call of a 32-bit program, whose entry is not seen. The number still stands there when the kernel does
 * what is left to do at the end of the call, such as signals of processor time used up: those have SI_KERNEL.
 */
function sending32Bit(seen: SignalContext): string | undefined {
  const isCall = seen.is32Bit && hasUserRegisters(seen) && seen.code !== siKernel
  return isCall ? calls32Bit.sending.get(seen.callNumber) : undefined
}

function hasUserRegisters({ codeSegment, onTaskStack, flags }: SignalContext): boolean {
  return userCodeSegments.includes(codeSegment) && onTaskStack && (flags & kernelMadeFlags) === 0
}

const userCodeSegments = [0x33, 0x23]

/** write, pwrite64, writev and exit, exit_group in arch/x86/entry/syscalls/syscall_64.tbl. */
const calls64Bit = { write: [1, 18, 20], exit: [60, 231] }
/** Marks the calls of x32 programs, whose numbers are those of 64-bit ones. */
const x32Bit = 0x4000_0000

/** The same and the sending calls in arch/x86/entry/syscalls/syscall_32.tbl. */
const calls32Bit = {
  write: [4, 181, 146],
  exit: [1, 252],
  sending: new Map([
    [37, 'kill'],
    [238, 'tkill'],
    [270, 'tgkill'],
    [178, 'rt_sigqueueinfo'],
    [335, 'rt_tgsigqueueinfo'],
    [424, 'pidfd_send_signal'],
  ]),
}
