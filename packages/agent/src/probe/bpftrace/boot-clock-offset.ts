/**
 * CLOCK_BOOTTIME, which Node.js cannot read, is CLOCK_MONOTONIC plus the time that the machine slept. The probe
 * tells that difference exactly when it starts; /proc/uptime tells it at any time, to a hundredth of a second.
 * If they disagree the machine has slept since, and the coarse one holds.
 */
export function bootOffset(exact: bigint, uptime: string, monotonic: bigint): bigint {
  const seconds = /^(\d+)\.(\d\d) /.exec(uptime)
  if (seconds === null) return exact
  const coarse = BigInt(`${seconds[1]}${seconds[2]}`) * 10_000_000n - monotonic
  const difference = coarse > exact ? coarse - exact : exact - coarse
  return difference > agreementNs ? coarse : exact
}

/** Two readings one after the other on a busy machine, and the resolution of /proc/uptime. */
const agreementNs = 500_000_000n
