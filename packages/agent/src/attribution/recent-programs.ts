import { programName } from '../process/service.ts'
import type { Applied } from '../process/table.ts'
import type { KernelRecord } from '../record/record.ts'
import type { Actor } from './judged.ts'

/** How many starts are remembered. */
const startsMax = 512

export interface ProgramStart extends Actor {
  /** Nanoseconds since boot. */
  readonly at: bigint
}

/** The programs by which people ask daemons to act, and when they were started: systemctl, docker, reboot, … */
export class RecentPrograms {
  private readonly names: ReadonlySet<string>
  private readonly starts: ProgramStart[] = []

  constructor(names: ReadonlySet<string>) {
    this.names = names
  }

  follow(record: KernelRecord, { process }: Applied): void {
    if (record.type !== 'exec' || process === undefined || !this.names.has(programName(process.program))) return
    this.starts.push({ process, program: process.program, at: record.time })
    if (this.starts.length > startsMax) this.starts.shift()
  }

  /** Starts between two times, the latest first. Arguments that came after the start are in the process's program. */
  *between(from: bigint, to: bigint): Generator<ProgramStart> {
    for (let index = this.starts.length - 1; index >= 0; index -= 1) {
      const start = this.starts[index]
      if (start !== undefined && start.at >= from && start.at <= to) yield start
    }
  }
}
