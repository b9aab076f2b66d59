import { setTimeout as pause } from 'node:timers/promises'
import { ProbeError } from '../errors.ts'
import type { Probe, ProbeEnd, ProbeKind, ProbeRun } from './probe.ts'
import { withWatchdog } from './watchdog.ts'

export interface SuperviseOptions {
  readonly probe: Probe
  /** Follows one run to its end. */
  readonly follow: (probe: Probe, run: ProbeRun) => Promise<ProbeEnd>
  readonly signal: AbortSignal
  /** Told which probe has started. */
  readonly onStarted?: (kind: ProbeKind) => void
  /** Told of each end that was not expected, and of warnings. */
  readonly onTrouble: (error: ProbeError, retryInMs: number) => void
  readonly onWarning: (warning: string) => void
  readonly pace?: Pace
}

export interface Pace {
  /** How long it waits after the first failure; doubled with each, up to the maximum. */
  readonly retryMsMin: number
  readonly retryMsMax: number
  /** A run that lasted this long was a good one: the next failure waits the shortest time again. */
  readonly goodRunMs: number
}

const usualPace: Pace = { retryMsMin: 1_000, retryMsMax: 60_000, goodRunMs: 300_000 }

/**
 * Keeps a probe running until the signal aborts: starts it again after an end that was not asked for, each time
 * later. Throws if it cannot even start the first time. A recording runs once.
 */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const { probe, follow, signal, onTrouble, onWarning } = options
  const { retryMsMin, retryMsMax, goodRunMs } = options.pace ?? usualPace
  let retryMs = retryMsMin
  let hasRun = false
  while (!signal.aborted) {
    const startedAt = Date.now()
    try {
      const started = await probe.start()
      const run = probe.kind === 'replay' ? started : withWatchdog(started)
      hasRun = true
      options.onStarted?.(probe.kind)
      const end = await untilAborted(signal, run, () => follow(probe, run))
      for (const warning of end.warnings) onWarning(warning)
      if (signal.aborted) return
      if (end.error !== null) throw end.error
      if (probe.kind === 'replay') return
      throw new ProbeError(
        'probe-ended',
        'expected the tracer to run on, it ended without an error',
        'It is started again.',
      )
    } catch (error) {
      if (!(error instanceof ProbeError) || !hasRun || probe.kind === 'replay') throw error
      if (signal.aborted) return
      if (Date.now() - startedAt > goodRunMs) retryMs = retryMsMin
      onTrouble(error, retryMs)
      await pause(retryMs, undefined, { signal }).catch(() => undefined)
      retryMs = Math.min(retryMs * 2, retryMsMax)
    }
  }
}

async function untilAborted<T>(signal: AbortSignal, run: ProbeRun, follow: () => Promise<T>): Promise<T> {
  const stop = () => void run.stop()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await follow()
  } catch (error) {
    // Whoever stopped listening has left the tracer running.
    await run.stop()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
