import { ProbeError } from '../errors.ts'
import type { ProbeRun } from './probe.ts'

/** A live tracer prints a heartbeat every second; one that is silent this long no longer works. */
const silenceMsMax = 15_000

/** The same run, ended when nothing has come from it for too long. */
export function withWatchdog(run: ProbeRun, limitMs = silenceMsMax): ProbeRun {
  let lastLineAt = Date.now()
  let isSilent = false
  /** While its last line is being worked on, it is not the tracer that keeps others waiting. */
  let isTaken = true
  const timer = setInterval(() => {
    if (!isTaken || Date.now() - lastLineAt < limitMs) return
    isSilent = true
    clearInterval(timer)
    void run.stop()
  }, limitMs / 5)
  return {
    async *lines() {
      try {
        for await (const line of run.lines()) {
          isTaken = false
          yield line
          isTaken = true
          lastLineAt = Date.now()
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
