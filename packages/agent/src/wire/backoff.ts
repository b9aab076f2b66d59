const firstMs = 200
const longestMs = 10_000

/**
 * Milliseconds to wait after so many failures in a row (1 or more): twice as long each time, up to ten seconds, and a
 * random part of up to half more or less, so that a thousand agents do not come back to a server in the same moment.
 * @param random in [0, 1)
 */
export function pauseAfter(failures: number, random: number, first = firstMs): number {
  return Math.min(longestMs, first * 2 ** Math.min(failures - 1, 30)) * (0.5 + random)
}
