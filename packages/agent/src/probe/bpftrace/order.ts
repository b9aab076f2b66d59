import type { Continuation, Draft, Fact, PrintedLine } from './translation/printed-line.ts'

/** What can be numbered and passed on: a record in the making, or lines that will never come. */
export type Ordered =
  | { readonly kind: 'draft'; readonly draft: Draft }
  | { readonly kind: 'lost'; readonly lines: number }

/** After so long without any line bpftrace has read all buffers: nothing earlier can come. */
export const quietMs = 25

/** The longest that a fact waits for earlier ones of other processors. */
const waitMsMax = 2_000

/** A processor that has printed nothing for so long is not waited for. */
const activeMs = 1_000

/** How long a fact waits for its own further lines, which follow it directly, if its processor prints nothing more. */
const incompleteMs = 1_000
const waitingMax = 65_536

/** A heartbeat that comes this much later than the fastest one: bpftrace, or this program, has a backlog. */
const backlogMs = 100

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
 * bpftrace reads one buffer per processor, each to its end: within a processor the order is right, between two of
 * them lines come late by as long as that takes, half a second in a flood. So a fact waits until every processor that
 * printed in the last second has come as far, or nothing has come for 25 ms, or two seconds have passed. At most
 * 65,536 facts wait. What comes even later is passed on late and counted.
 *
 * A hole in a processor's own count is lost lines. bpftrace's "Lost N events" counts too few, so it is not used.
 */
export class FactOrder {
  /** Facts passed on after a younger one. */
  late = 0
  private readonly waiting: Waiting[] = []
  private readonly processors = new Map<number, Processor>()
  private passed = 0n
  private lastPushMs = 0
  private delayMsMin = Number.POSITIVE_INFINITY

  /** Takes a numbered line as it came. */
  push(line: Exclude<PrintedLine, { kind: 'begin' | 'lost' }>, nowMs: number): void {
    const processor = this.processorOf(line.cpu)
    this.lastPushMs = nowMs
    if (line.kind === 'count') {
      processor.counted = line.n
      return
    }
    this.lose(processor.take(line, nowMs), line.cpu, nowMs)
    if (line.kind === 'continuation') processor.continues(line)
    if (line.kind !== 'fact') return
    if (line.draft.type === 'heartbeat' && !this.hasBacklog(line.draft.time, nowMs)) this.findLostAtEnds(nowMs)
    processor.lastTime = line.draft.time
    this.insert(line.draft.time, nowMs, { kind: 'draft', draft: line.draft }, line.cpu, line.n + line.lines)
  }

  /** What has waited long enough, in order. */
  due(nowMs: number): Ordered[] {
    const due: Ordered[] = []
    const reached = nowMs - this.lastPushMs >= quietMs ? undefined : this.reachedByAll(nowMs)
    for (let first = this.waiting[due.length]; first !== undefined; first = this.waiting[due.length]) {
      if (!this.isDue(first, nowMs, reached) && this.waiting.length - due.length <= waitingMax) break
      if (first.time >= this.passed) this.passed = first.time
      else if (first.item.kind === 'draft') this.late += 1
      due.push(first.item)
    }
    this.waiting.splice(0, due.length)
    return due
  }

  /** A processor that counts lines of which none comes any more; undefined if all are heard. */
  get unheard(): number | undefined {
    for (const [cpu, { countsUnheard }] of this.processors) if (countsUnheard >= countsUnheardMax) return cpu
    return undefined
  }

  /** The probe has ended and has told its last counts: all that waits, and what is missing. */
  flush(nowMs: number): Ordered[] {
    this.findLostAtEnds(nowMs)
    return this.waiting.splice(0).map(({ item }) => item)
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  /** `reached`: the time that every processor has come to; undefined if there is none to wait for. */
  private isDue(first: Waiting, nowMs: number, reached: bigint | undefined): boolean {
    const ageMs = nowMs - first.arrivedMs
    if (this.processorOf(first.cpu).seen < first.lastN && ageMs < incompleteMs) return false
    return reached === undefined || first.time <= reached || ageMs >= waitMsMax
  }

  private reachedByAll(nowMs: number): bigint {
    let reached: bigint | undefined
    for (const { lastMs, lastTime } of this.processors.values()) {
      const isActive = nowMs - lastMs < activeMs
      if (isActive && (reached === undefined || lastTime < reached)) reached = lastTime
    }
    return reached ?? 0n
  }

  private hasBacklog(time: bigint, nowMs: number): boolean {
    const delayMs = nowMs - Number(time) / 1e6
    this.delayMsMin = Math.min(this.delayMsMin, delayMs)
    return delayMs - this.delayMsMin > backlogMs
  }

  /**
   * A processor that is silent since a burst has no later line to show a hole. But what it had counted at the
   * heartbeat before this one, a second ago, has been read by now.
   */
  private findLostAtEnds(nowMs: number): void {
    for (const [cpu, processor] of this.processors) this.lose(processor.giveUp(), cpu, nowMs)
  }

  private lose(lines: number, cpu: number, nowMs: number): void {
    if (lines > 0) this.insert(this.processorOf(cpu).lastTime, nowMs, { kind: 'lost', lines }, cpu, 0)
  }

  private insert(time: bigint, arrivedMs: number, item: Ordered, cpu: number, lastN: number): void {
    let at = this.waiting.length
    while (at > 0 && (this.waiting[at - 1] as Waiting).time > time) at -= 1
    this.waiting.splice(at, 0, { time, arrivedMs, item, cpu, lastN })
  }

  private processorOf(cpu: number): Processor {
    const known = this.processors.get(cpu)
    if (known !== undefined) return known
    const processor = new Processor()
    this.processors.set(cpu, processor)
    return processor
  }
}

/**
 * After so many heartbeats in a row that tell of lines of which not one has come, a processor is not heard any more: it
 * was off, or asleep, since bpftrace opened its buffer (CPU hot-plug, suspend to RAM).
 */
const countsUnheardMax = 3

/** The count of one processor's lines. */
class Processor {
  /** Lines that have come or are known to be lost. */
  seen = 0
  /** Lines that the probe has made, as it told last. */
  counted = 0
  lastTime = 0n
  lastMs = Number.NEGATIVE_INFINITY
  /** Heartbeats in a row that told of lines of which none had come. */
  countsUnheard = 0
  private open: Fact | undefined

  /** Takes a line; returns how many were lost before it. */
  take(line: { readonly n: number }, nowMs: number): number {
    this.lastMs = nowMs
    this.countsUnheard = 0
    const lost = Math.max(0, line.n - this.seen - 1)
    this.seen = Math.max(this.seen, line.n)
    if ('draft' in line) this.open = line as Fact
    return lost
  }

  continues(line: Continuation): void {
    if (this.open?.n === line.of) line.addTo(this.open.draft)
  }

  /** Gives up what has been counted and has not come; returns how many lines that are. */
  giveUp(): number {
    const lost = Math.max(0, this.counted - this.seen)
    this.seen += lost
    if (lost > 0) this.countsUnheard += 1
    return lost
  }
}
