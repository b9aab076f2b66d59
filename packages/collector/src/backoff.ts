import { setTimeout as sleep } from 'node:timers/promises'

/** Delays between attempts: doubling from the first to the longest, each shortened by a random part of up to half. */
export interface BackoffLimits {
  readonly firstMs: number
  readonly longestMs: number
}

/** What the collector waits between attempts at NATS or Postgres. */
export const serverBackoff: BackoffLimits = { firstMs: 100, longestMs: 10_000 }

/** The delay before attempt number `attempt` (from 1); `random` is in [0, 1). */
export function backoffDelayMs(attempt: number, limits: BackoffLimits, random: number): number {
  const fullMs = Math.min(limits.longestMs, limits.firstMs * 2 ** Math.min(attempt - 1, 30))
  return fullMs * (1 - random / 2)
}

/**
 * Tries until it succeeds, at least once. Throws the last error if `signal` is aborted or the error is not `retryable`,
 * and an AbortError if it is aborted between two attempts. `failed` is told of each error.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  options: {
    readonly signal: AbortSignal
    readonly limits?: BackoffLimits
    readonly retryable?: (error: unknown) => boolean
    readonly failed: (error: unknown, delayMs: number) => void
  },
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await attempt()
    } catch (error) {
      if (options.signal.aborted || options.retryable?.(error) === false) throw error
      const delayMs = backoffDelayMs(number, options.limits ?? serverBackoff, Math.random())
      options.failed(error, delayMs)
      await sleep(delayMs, undefined, { signal: options.signal })
    }
  }
}
