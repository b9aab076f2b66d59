import type { LossLog } from '../attribution/loss-log.ts'
import type { CoverageDraft, EventDraft } from '../event-draft.ts'
import type { EventSink } from '../event-sink.ts'
import { type DescribeOptions, describeProcess } from '../process/describe.ts'
import type { ProcessEntry } from '../process/entry.ts'
import { mainProcesses } from '../process/main-process.ts'
import type { ServiceRule } from '../process/service.ts'
import type { ProcessTable } from '../process/table.ts'
import type { Missed, Vanished } from '../process/vanished.ts'
import { type Absence, absenceOf, type Gone } from './absence.ts'
import type { Coverage, Interruption } from './coverage.ts'
import type { WatchMemory } from './watch-memory.ts'

/** How often what is watched is written down. */
const rememberNs = 10_000_000_000n

export interface ContinuityOptions {
  readonly memory: WatchMemory
  readonly bootId: string
  readonly runId: string
  readonly sink: EventSink
  readonly table: ProcessTable
  readonly vanished: Vanished
  readonly losses: LossLog
  readonly coverage: Coverage
  readonly describe: DescribeOptions
  readonly services: readonly ServiceRule[]
  readonly programLifeMsMin: number
  /** The agent itself and what it started: nobody asks about their ends. */
  readonly isOwn: (process: ProcessEntry) => boolean
}

/**
 * Joins this run of the agent to the one before and the one after it: tells what went while none was there, and sees
 * to it that each end is told once, whenever an agent dies. Times are nanoseconds since boot.
 */
export class Continuity {
  private readonly options: ContinuityOptions
  private absence: Absence | undefined
  /** What the last agent could not say itself. */
  private unsaid: CoverageDraft[] = []
  private readonly gone = new Map<ProcessEntry, Gone>()
  /** Those whose end was noted when it was found out, and is told as such. */
  private readonly noted = new WeakSet<ProcessEntry>()
  private hasBegun = false
  /** Ends that came before it was proven that kills are seen, by process. */
  private early = new Map<string, string>()
  private rememberedAt = 0n

  constructor(options: ContinuityOptions) {
    this.options = options
  }

  /**
   * /proc has been read for the first time: what the last agent knew is compared with what is there.
   * @param canTell whether the table now knows who is alive
   * @returns why nobody was watching; undefined if nobody ever was, as far as is known
   */
  comeBack(at: bigint, canTell: boolean): Interruption | undefined {
    const { memory, bootId, table, vanished, losses, coverage, describe } = this.options
    if (memory.last === undefined || this.absence !== undefined) return this.absence?.earlier
    const isAlive = ({ id, pid, start }: ProcessEntry) => (canTell ? table.find(pid, start)?.id === id : undefined)
    this.absence = absenceOf(memory.last, { bootId, at, clock: describe.clock, isAlive })
    for (const gap of this.absence.gaps) losses.add(gap)
    for (const gone of this.absence.gone) {
      if (gone.isOfThisBoot) table.recall(gone.process)
      vanished.missed([gone.process], gone.at, gone.aliveAt)
      this.gone.set(gone.process, gone)
    }
    this.unsaid = coverage.resume(this.absence.earlier)
    return this.absence.earlier
  }

  /** Kills are really seen from now on. Gives what the last agent could not say itself, to be told first. */
  begin(at: bigint, told: readonly CoverageDraft[]): CoverageDraft[] {
    if (this.hasBegun) return []
    this.hasBegun = true
    const { memory, bootId, runId, describe } = this.options
    const gone = [...this.gone.values()]
    const early = [...this.early].flatMap(([id, endedAt]) => {
      const process = memory.last?.processes.get(id)?.process
      return process === undefined ? [] : [{ process, endedAt }]
    })
    const untold = [...gone.map(({ described }) => described), ...early.map(({ process }) => process)]
    memory.begin({ bootId, runId, watchedSince: describe.clock.timestamp(at) }, at, untold)
    const gap = told.find(({ state }) => state === 'gap')
    const noted =
      gap === undefined ? null : { from: gap.from, to: gap.at, why: gap.why ?? '', reason: gap.reason ?? '' }
    for (const one of gone)
      memory.ended(one.described.id, one.toldAt ?? describe.clock.timestamp(one.at), one.gap ?? noted)
    for (const { process, endedAt } of early) {
      memory.ended(process.id, endedAt, null)
      this.forgetWhenTold(process.id)
    }
    this.early = new Map()
    return this.unsaid
  }

  /** Whether its end is to be noted; most processes come and go unnoted. */
  concerns({ id }: ProcessEntry): boolean {
    const { memory } = this.options
    return this.hasBegun ? memory.has(id) : memory.last?.processes.has(id) === true
  }

  /** A process has ended; called before that is told. */
  ends(process: ProcessEntry, at: string): void {
    if (!this.hasBegun) this.early.set(process.id, at)
    else if (!this.noted.has(process)) this.options.memory.ended(process.id, at, null)
  }

  /** That it ended has been passed on, or was not worth telling. */
  hasTold({ id }: ProcessEntry): void {
    if (this.hasBegun) this.forgetWhenTold(id)
  }

  /** The same event again, if an earlier run may have told it already. */
  asToldBefore({ process }: Missed, drafts: readonly EventDraft[]): EventDraft[] {
    const at = this.gone.get(process)?.toldAt
    if (this.gone.delete(process)) this.noted.add(process)
    return at === undefined ? [...drafts] : drafts.map((draft) => ({ ...draft, at }))
  }

  /** Writes down what is watched, if it is time, once all that was to be told of it is kept. */
  async remember(at: bigint, isLast = false): Promise<void> {
    if (!this.hasBegun || (!isLast && at - this.rememberedAt < rememberNs)) return
    this.rememberedAt = at
    const { memory, sink, table, describe, isOwn } = this.options
    const timestamp = describe.clock.timestamp(at)
    await sink.settled?.()
    const mains = mainProcesses(table.living(), this.options, at).filter((process) => !isOwn(process))
    memory.see(timestamp, at, mains, (process) => describeProcess(process, describe))
    if (isLast) memory.stop()
  }

  private forgetWhenTold(id: string): void {
    const { sink, memory } = this.options
    void (sink.settled?.() ?? Promise.resolve()).then(() => memory.told(id))
  }
}
