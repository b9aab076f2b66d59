import type { ProcessEntry } from '../process/entry.ts'
import type { Applied } from '../process/table.ts'
import type { KernelRecord } from '../record/record.ts'
import { isCalled } from './commands/program.ts'
import type { Actor } from './judged.ts'

/** How many starts are remembered. */
const startsMax = 512

export interface ProgramStart extends Actor {
  /** Nanoseconds since boot. */
  readonly at: bigint
  /** How it ended: a wait status; undefined while it runs, and if its end was not seen. */
  readonly status: number | undefined
}

type Start = { -readonly [key in keyof ProgramStart]: ProgramStart[key] }

/** The programs by which people ask daemons to act, and when they were started: systemctl, docker, reboot, … */
export class RecentPrograms {
  private readonly names: ReadonlySet<string>
  private readonly starts: Start[] = []
  /** The latest start of each. */
  private readonly latest = new WeakMap<ProcessEntry, Start>()

  constructor(names: ReadonlySet<string>) {
    this.names = names
  }

  follow(record: KernelRecord, { process, ended }: Applied): void {
    if (process === undefined) return
    if (record.type === 'exec' && isCalled(process.program, this.names)) {
      const start = { process, program: process.program, at: record.time, status: undefined }
      this.starts.push(start)
      this.latest.set(process, start)
      if (this.starts.length > startsMax) this.starts.shift()
    } else if (record.type === 'args' || (record.type === 'exit' && ended === true)) {
      const start = this.latest.get(process)
      if (start === undefined) return
      if (record.type === 'args') start.program = process.program
      else start.status = record.code
    }
  }

  /** Starts between two times, the latest first. */
  *between(from: bigint, to: bigint): Generator<ProgramStart> {
    for (let index = this.starts.length - 1; index >= 0; index -= 1) {
      const start = this.starts[index]
      if (start !== undefined && start.at >= from && start.at <= to) yield start
    }
  }
}
