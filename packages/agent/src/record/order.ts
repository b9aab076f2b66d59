import type { KernelRecord } from './record.ts'

/** Sequence numbers that never came. */
export interface Hole {
  readonly type: 'hole'
  readonly fromSeq: number
  readonly lost: number
  /** Times of the records before and after it, nanoseconds since boot. */
  readonly after: bigint
  readonly before: bigint
}

export interface OrderCounters {
  /** Records that came after they had been given up, or a second time; not passed on. */
  late: number
  lost: number
  /** The most records that ever waited for a missing one. */
  waitingMax: number
}

/**
 * Passes records on in the order of their sequence numbers. A record whose predecessor is missing waits until
 * it comes, until `windowRecords` records wait, or until `windowNs` of record time have passed; then the missing
 * numbers are a hole. Probes deliver a few records out of order normally and some thousands under load. A jump of
 * record time is a host that slept: what was on its way before is still on its way after.
 */
export class RecordOrder {
  readonly counters: OrderCounters = { late: 0, lost: 0, waitingMax: 0 }
  private readonly windowRecords: number
  private readonly windowNs: bigint
  private readonly waiting = new Map<number, KernelRecord>()
  private next = 1
  private lastTime = 0n
  private newest = 0n
  /** Record time that has passed, without what the host slept. */
  private passed = 0n
  /** The same, from which the missing number has been waited for. */
  private missingSince: bigint | undefined

  constructor(options: { windowRecords?: number; windowMs?: number } = {}) {
    this.windowRecords = options.windowRecords ?? 16_384
    this.windowNs = BigInt(options.windowMs ?? 3_000) * 1_000_000n
  }

  /** Takes a record as it came; returns what can be passed on now. */
  push(record: KernelRecord): (KernelRecord | Hole)[] {
    this.advance(record.time)
    if (record.seq < this.next || this.waiting.has(record.seq)) {
      this.counters.late += 1
      return []
    }
    if (record.seq === this.next && this.waiting.size === 0) return [this.pass(record)]
    this.waiting.set(record.seq, record)
    this.counters.waitingMax = Math.max(this.counters.waitingMax, this.waiting.size)
    const ready = this.contiguous()
    if (this.waiting.size === 0) return ready
    if (ready.length > 0 || this.missingSince === undefined) this.missingSince = this.passed
    const tooLong = this.passed - this.missingSince > this.windowNs
    if (tooLong || this.waiting.size > this.windowRecords) ready.push(...this.giveUp())
    return ready
  }

  /** The probe has ended: passes on all that waits, with its holes. */
  flush(): (KernelRecord | Hole)[] {
    const rest: (KernelRecord | Hole)[] = []
    while (this.waiting.size > 0) rest.push(...this.giveUp())
    return rest
  }

  private advance(time: bigint): void {
    const step = time - this.newest
    if (step <= 0n) return
    this.newest = time
    this.passed += step > jumpNs ? heartbeatNs : step
  }

  private pass(record: KernelRecord): KernelRecord {
    this.next = record.seq + 1
    this.lastTime = record.time
    return record
  }

  private contiguous(): (KernelRecord | Hole)[] {
    const ready: KernelRecord[] = []
    for (let record = this.waiting.get(this.next); record !== undefined; record = this.waiting.get(this.next)) {
      this.waiting.delete(record.seq)
      ready.push(this.pass(record))
    }
    if (ready.length > 0) this.missingSince = undefined
    return ready
  }

  private giveUp(): (KernelRecord | Hole)[] {
    let first: KernelRecord | undefined
    for (const record of this.waiting.values()) if (first === undefined || record.seq < first.seq) first = record
    if (first === undefined) return []
    const lost = first.seq - this.next
    this.counters.lost += lost
    const hole: Hole = { type: 'hole', fromSeq: this.next, lost, after: this.lastTime, before: first.time }
    this.next = first.seq
    this.missingSince = undefined
    return [hole, ...this.contiguous()]
  }
}

/** A probe prints a heartbeat every second; longer than this without any record, the host was asleep. */
const heartbeatNs = 1_000_000_000n
const jumpNs = 5_000_000_000n
