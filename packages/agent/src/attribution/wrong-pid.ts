import type { BootClock } from '../clock.ts'
import type { Applied, ProcessTable } from '../process/table.ts'
import type { KernelRecord } from '../record/record.ts'
import type { Deed, Mistake } from './judged.ts'

export interface WrongPidOptions {
  readonly table: ProcessTable
  readonly clock: BootClock
}

/** Finds the signals that were meant for the process that held the pid before. */
export class WrongPids {
  constructor(_options: WrongPidOptions) {}

  follow(_record: KernelRecord, _applied: Applied): void {}

  of(_deed: Deed): Mistake | undefined {
    return undefined
  }
}
