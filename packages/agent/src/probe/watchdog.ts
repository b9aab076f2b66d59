import { ProbeError } from '../errors.ts'
import type { ProbeRun } from './probe.ts'

/** A live tracer prints a heartbeat every second; one that is silent this long no longer works. */
const silenceMsMax = 15_000

/** How often is looked, within that time. */
const looks = 5

/**
 * The same run, ended when nothing has come from it for too long. The time is counted in this program's own looks, not
 * by a clock: while it does not run itself (a host that is suspended, a frozen cgroup) nobody can be silent, and a
 * clock that is set says nothing.
 */
export function withWatchdog(run: ProbeRun, limitMs = silenceMsMax): ProbeRun {
  let looksInVain = 0
  let isSilent = false
  /** While its last line is being worked on, it is not the tracer that keeps others waiting. */
  let isTaken = true
  const timer = setInterval(() => {
    looksInVain = isTaken ? looksInVain + 1 : 0
    // Where a line came between two looks, the first of them tells of less than a whole interval.
    if (looksInVain <= looks) return
    isSilent = true
    clearInterval(timer)
    void run.stop()
  }, limitMs / looks)
  return {
    async *lines() {
      try {
        for await (const line of run.lines()) {
          isTaken = false
          yield line
          isTaken = true
          looksInVain = 0
        }
      } finally {
        clearInterval(timer)
      }
    },
    stop: () => run.stop(),
    ended: run.ended.then((end) => (isSilent ? { ...end, expected: false, error: silent(limitMs) } : end)),
  }
}

function silent(limitMs: number): ProbeError {
  return new ProbeError(
    'probe-silent',
    `expected a heartbeat from the tracer every second, got nothing for ${limitMs / 1_000} s`,
    'The host is overloaded or the tracer hangs; it is started again.',
  )
}
