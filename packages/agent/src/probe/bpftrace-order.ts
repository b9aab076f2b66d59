import type { Continuation, Draft, Fact, PrintedLine } from './bpftrace-facts.ts'

/** What can be numbered and passed on: a record in the making, or lines that will never come. */
export type Ordered =
  | { readonly kind: 'draft'; readonly draft: Draft }
  | { readonly kind: 'lost'; readonly lines: number }

/** How long a fact waits for earlier ones of other processors. */
export const windowMs = 50

/** How long a fact waits for its own further lines, which follow it directly, if its processor prints nothing more. */
const incompleteMs = 1_000
const waitingMax = 65_536

/** A line may take two seconds to come before the probe's own count proves that it is lost. */
const countsKept = 2

interface Waiting {
  readonly time: bigint
  readonly arrivedMs: number
  readonly item: Ordered
  /** The processor and the number of its last line. */
  readonly cpu: number
  readonly lastN: number
}

/**
 * Puts the facts of all processors in the order of their time, and finds what was lost.
 *
 * bpftrace reads one buffer per processor, one after the other: within a processor the order is right, between two
 * of them lines may come some milliseconds late. So a fact waits until a line 50 ms younger has come, or for 50 ms
 * if nothing comes. At most 65,536 wait. Lines that come even later are passed on late and counted.
 *
 * A hole in a processor's own count is lost lines. bpftrace's "Lost N events" counts too few, so it is not used.
 */
export class FactOrder {
  /** Facts passed on after a younger one. */
  late = 0
  private readonly waiting: Waiting[] = []
  private readonly processors = new Map<number, Processor>()
  private newest = 0n
  private passed = 0n

  /** Takes a numbered line as it came. */
  push(line: Exclude<PrintedLine, { kind: 'begin' | 'lost' }>, nowMs: number): void {
    const processor = this.processorOf(line.cpu)
    if (line.kind === 'count') {
      const lines = processor.provenLost(line.n)
      if (lines > 0) this.insert(processor.lastTime, nowMs, { kind: 'lost', lines }, line.cpu, 0)
      return
    }
    const lines = processor.take(line)
    if (lines > 0) this.insert(processor.lastTime, nowMs, { kind: 'lost', lines }, line.cpu, 0)
    if (line.kind === 'continuation') processor.continues(line)
    if (line.kind !== 'fact') return
    processor.lastTime = line.draft.time
    this.insert(line.draft.time, nowMs, { kind: 'draft', draft: line.draft }, line.cpu, line.n + line.lines)
  }

  /** What has waited long enough, in order. */
  due(nowMs: number): Ordered[] {
    const due: Ordered[] = []
    for (let first = this.waiting[due.length]; first !== undefined; first = this.waiting[due.length]) {
      if (!this.isDue(first, nowMs) && this.waiting.length - due.length <= waitingMax) break
      if (first.time < this.passed) this.late += 1
      else this.passed = first.time
      due.push(first.item)
    }
    this.waiting.splice(0, due.length)
    return due
  }

  /** The probe has ended: all that waits. */
  flush(): Ordered[] {
    return this.waiting.splice(0).map(({ item }) => item)
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  private isDue(first: Waiting, nowMs: number): boolean {
    const ageMs = nowMs - first.arrivedMs
    if (this.processorOf(first.cpu).seen < first.lastN && ageMs < incompleteMs) return false
    return ageMs >= windowMs || this.newest - first.time >= BigInt(windowMs) * 1_000_000n
  }

  private insert(time: bigint, arrivedMs: number, item: Ordered, cpu: number, lastN: number): void {
    let at = this.waiting.length
    while (at > 0 && (this.waiting[at - 1] as Waiting).time > time) at -= 1
    this.waiting.splice(at, 0, { time, arrivedMs, item, cpu, lastN })
    if (time > this.newest) this.newest = time
  }

  private processorOf(cpu: number): Processor {
    const known = this.processors.get(cpu)
    if (known !== undefined) return known
    const processor = new Processor()
    this.processors.set(cpu, processor)
    return processor
  }
}

/** The count of one processor's lines. */
class Processor {
  /** Lines that have come or are known to be lost. */
  seen = 0
  lastTime = 0n
  private open: Fact | undefined
  private readonly counts: number[] = []

  /** Takes a line; returns how many were lost before it. */
  take(line: { readonly n: number }): number {
    const lost = Math.max(0, line.n - this.seen - 1)
    this.seen = Math.max(this.seen, line.n)
    if ('draft' in line) this.open = line as Fact
    return lost
  }

  continues(line: Continuation): void {
    if (this.open?.n === line.of) line.addTo(this.open.draft)
  }

  /** Takes what the probe has counted by now; returns how many lines of an earlier count have not come. */
  provenLost(count: number): number {
    this.counts.push(count)
    if (this.counts.length <= countsKept) return 0
    const lost = Math.max(0, (this.counts.shift() ?? 0) - this.seen)
    this.seen += lost
    return lost
  }
}
