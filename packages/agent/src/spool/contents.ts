import type { Head } from './head.ts'
import type { Loaded } from './load.ts'
import { Marks } from './marks.ts'
import { nothing, type Tally, total } from './tally.ts'

export interface LimitOptions {
  readonly eventsMax: number
  /** Bytes of JSON; 512 MiB if left out. */
  readonly bytesMax?: number
  /** How long agents may run with an event that cannot be published, milliseconds; a week if left out. */
  readonly ageMsMax?: number
}

/** What is in the spool, as it is known without reading: the head but for the loss, and the marks. */
export class Contents {
  readonly limits: Required<LimitOptions>
  tally: Tally = nothing
  /** The place of the next event. */
  next = 1
  marks: Marks
  private ranMsBefore = 0
  private loadedAtMs = performance.now()

  constructor({ eventsMax, bytesMax = 536_870_912, ageMsMax = 604_800_000 }: LimitOptions) {
    this.limits = { eventsMax, bytesMax, ageMsMax }
    this.marks = new Marks(ageMsMax, [])
  }

  /** The store was opened. */
  begin({ head, marks }: Pick<Loaded, 'head' | 'marks'>): void {
    this.tally = head.tally
    this.next = head.next
    this.ranMsBefore = head.ranMs
    this.loadedAtMs = performance.now()
    this.marks = new Marks(this.limits.ageMsMax, marks)
  }

  /** Milliseconds that agents have run with this spool. */
  get ranMs(): number {
    return Math.round(this.ranMsBefore + performance.now() - this.loadedAtMs)
  }

  /** It is at a limit, or as good as. */
  get isFull(): boolean {
    const { events, bytes } = total(this.tally)
    return events > this.limits.eventsMax * fullShare || bytes > this.limits.bytesMax * fullShare
  }

  headWith(loss: Head['loss']): Head {
    const { next, ranMs, tally } = this
    return { next, ranMs, tally, loss }
  }
}

/** From here on it is at its limit. */
const fullShare = 0.99
