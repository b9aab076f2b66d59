/**
 * Which events are older than the limit. Age is how long agents have run since an event was written: the clock may be
 * set, and while the host is off nobody can publish. A mark says for how long they had run when this place was the next.
 */
export class Marks {
  private readonly stepMs: number
  private readonly ageMsMax: number
  private marks: readonly Mark[]

  constructor(ageMsMax: number, marks: readonly Mark[]) {
    this.ageMsMax = ageMsMax
    this.stepMs = ageMsMax / marksMax
    this.marks = marks
  }

  /** The mark that is to be written now; undefined most of the time. */
  due(next: number, ranMs: number): Mark | undefined {
    const last = this.marks.at(-1)
    return last === undefined || ranMs - last.ranMs >= this.stepMs || ranMs < last.ranMs ? { next, ranMs } : undefined
  }

  add(mark: Mark): void {
    this.marks = [...this.marks, mark]
  }

  /** Events before this place are too old; undefined if none is. */
  expired(ranMs: number): Mark | undefined {
    return this.marks.findLast((mark) => ranMs - mark.ranMs > this.ageMsMax)
  }

  /** Marks that say nothing any more, once all events before this place are gone. */
  forget(first: number): Mark[] {
    const forgotten = this.marks.filter((mark, at) => mark.next <= first && at < this.marks.length - 1)
    this.marks = this.marks.filter((mark) => !forgotten.includes(mark))
    return forgotten
  }
}

export interface Mark {
  readonly next: number
  /** Milliseconds that agents have run with this spool. */
  readonly ranMs: number
}

/** Ages are told apart by this part of the limit: an hour for a week's. */
const marksMax = 168

export const markRange = { gte: 'ran', lt: 'rao' } as const

/** `ran0000000000000042`; the value is the time, in milliseconds. */
export function markKey({ next }: Mark): string {
  return `ran${next.toString().padStart(16, '0')}`
}

export function readMark(key: string, value: string): Mark | undefined {
  const mark = { next: Number(key.slice(3)), ranMs: Number(value) }
  return Number.isSafeInteger(mark.next) && Number.isSafeInteger(mark.ranMs) ? mark : undefined
}
