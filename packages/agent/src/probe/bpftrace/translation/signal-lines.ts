import type { PrintedLine } from './printed-line.ts'
import { readProcess } from './process-words.ts'
import { contextOfSignal } from './signal.ts'
import type { Words } from './words.ts'

const results = ['delivered', 'ignored', 'pending', 'overflow', 'info-lost']
const sendingCalls = [undefined, 'kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal']

/** A signal was made; who it is for follows. */
export function readSignal(words: Words): PrintedLine {
  const { cpu, n, flags, draft } = readProcess('signal', words)
  const [sig, code, group] = [words.int(), words.int(), words.int()]
  const result = results[words.int()]
  const [sendingCall, arg] = [sendingCalls[words.int()], words.int() | 0]
  const [codeSegment, callNumber, context] = [words.hex(), words.int(), words.int()]
  const seen = {
    ...{ sig, code, sendingCall, arg, codeSegment, callNumber, flags },
    onTaskStack: (context & 1) !== 0,
    is32Bit: (context & 2) !== 0,
    callArgument: words.int() | 0,
  }
  draft.fields = { ...draft.fields, sig, group, result, ...contextOfSignal(seen) }
  return { kind: 'fact', cpu, n, lines: 1, draft }
}

const dispositions = ['default', 'ignore', 'handler']

/** The target was looked up by thread id: if another thread was found, only the id and the name are certain. */
export function readTarget(words: Words): PrintedLine {
  const [cpu, n, of, ttid, found] = [words.int(), words.int(), words.int(), words.int(), words.int()]
  const process = { tpid: words.int(), tppid: words.int(), tstart: words.big(), tuid: words.int() }
  const namespace = { tnspid: words.int(), tnsid: words.int() }
  const [cgroup, tcomm] = [words.big(), words.name(2)]
  const reaction = { disp: dispositions[words.int()], blocked: words.int() }
  const isFound = found === ttid
  return {
    kind: 'continuation',
    cpu,
    n,
    of,
    addTo(draft) {
      const { fields } = draft
      Object.assign(fields, { ttid, tcomm }, isFound && { ...process, ...namespace, ...reaction })
      if (isFound) draft.targetCgroup = cgroup
      if (!isFound || process.tpid === fields.pid) return
      if (fields.code === siTimer) fields.ctx = interrupt
      if (fields.code === siKernel) {
        fields.info = 'priv'
        delete fields.code
      }
    },
  }
}

/** A timer that runs out for another process: an interrupt, though it has no stack of its own in a user program. */
const siTimer = -2
const interrupt = 2

/**
 * Nobody can send this code to another process (do_rt_sigqueueinfo in kernel/signal.c refuses it), so even in a sending
 * call it was the kernel itself, such as the OOM killer for the memory that the call wanted.
 */
const siKernel = 0x80

/** A sending system call failed. */
export function readFailed(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('signal-failed', words)
  const call = sendingCalls[words.int()] ?? 'other'
  const arg = words.int() | 0
  const sig = words.int() | 0
  draft.fields = { ...draft.fields, call, sig, arg, err: -words.int() }
  return { kind: 'fact', cpu, n, lines: 0, draft }
}
