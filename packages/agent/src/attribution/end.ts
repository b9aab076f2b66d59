import type { ProcessEntry } from '../process/entry.ts'

/** How a process ended, as its exit record told. */
export interface End {
  readonly process: ProcessEntry
  /** Nanoseconds since boot. */
  readonly at: bigint
  /** Its wait status. */
  readonly status: number
  readonly seccomp: number | undefined
}

/** The signal that ended a process by its wait status; 0 if it exited. */
export function termSignalOf(status: number): number {
  return status & 0x7f
}

/** The code a process exited with, by its wait status. */
export function exitCodeOf(status: number): number {
  return (status >> 8) & 0xff
}
