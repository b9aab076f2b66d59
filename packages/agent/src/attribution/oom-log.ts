import type { Applied } from '../process/table.ts'
import type { KernelRecord } from '../record/record.ts'
import type { Ending } from './causes/cause.ts'
import type { OutOfMemory } from './judged.ts'

/** What the kernel's log told of each OOM kill. */
export class OomLog {
  follow(_record: KernelRecord, _applied: Applied): void {}

  of(_ending: Ending): OutOfMemory | undefined {
    return undefined
  }
}
