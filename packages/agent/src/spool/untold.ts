import type { Arriving } from './arrivals.ts'
import { addLoss, type Loss, lossOf } from './loss.ts'

/** What was lost, until an event that tells of it (`events-dropped`, with its count) is on the disk. */
export class Untold {
  private loss: Loss | undefined
  /** What was given out to be told, and is not yet on the disk. */
  private taken: Loss | undefined
  /** The event that tells what was taken is being written. */
  private isOnItsWay = false
  private takenAtMs = Number.NEGATIVE_INFINITY

  /** All of it, for the head. */
  get all(): Loss | undefined {
    return addLoss(this.taken, this.loss)
  }

  /** The same beside an event that tells what was taken. */
  get rest(): Loss | undefined {
    return this.loss
  }

  add(loss: Loss | undefined): void {
    this.loss = addLoss(this.loss, loss)
  }

  /**
   * What is to be told now; what was taken before and did not come to the disk included. Nothing while it is on its way:
   * both events would tell of it.
   * @param mayTell not while the disk refuses what would tell it
   * @param isFull where events go on being dropped it is told once in ten minutes
   */
  take({ mayTell, isFull }: { mayTell: boolean; isFull: boolean }): Loss | undefined {
    if (this.isOnItsWay) return undefined
    this.giveBack()
    const nowMs = performance.now()
    if (this.loss === undefined || !mayTell || (isFull && nowMs - this.takenAtMs < takeMsMin)) return undefined
    this.takenAtMs = nowMs
    this.taken = this.loss
    this.loss = undefined
    return this.taken
  }

  /** Whether this event tells what was taken. */
  isToldBy({ event }: Pick<Arriving, 'event'>): boolean {
    const { why, lostRecords } = event as { why?: unknown; lostRecords?: unknown }
    return event.type === 'coverage' && why === 'events-dropped' && lostRecords === this.taken?.count
  }

  /** It is to be written. */
  arrives(event: Pick<Arriving, 'event'>): void {
    if (this.isToldBy(event)) this.isOnItsWay = true
  }

  /** What tells it is on the disk. */
  wasTold(): void {
    this.taken = undefined
    this.isOnItsWay = false
  }

  /** What was to tell it was not kept. */
  giveBack(): void {
    this.loss = this.all
    this.taken = undefined
    this.isOnItsWay = false
  }

  /** What is lost where an event is not kept: what it tells as lost goes with it, unless that is told again. */
  lossOf(arriving: Arriving, cause: 'limit' | 'disk'): Loss {
    const { event, worth } = arriving
    const { lostRecords } = event as { lostRecords?: number }
    const count = worth === 'g' && !this.isToldBy(arriving) ? Math.max(1, Number(lostRecords ?? 1)) : 1
    return lossOf({ cause, type: event.type, events: 1, count, since: event.at })
  }

  /** The disk did not take these. */
  refused(events: readonly Arriving[]): void {
    for (const event of events) {
      this.add(this.lossOf(event, 'disk'))
      if (this.isToldBy(event)) this.giveBack()
    }
  }
}

const takeMsMin = 600_000
