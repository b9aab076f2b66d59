/** How many losses are remembered; older ones are long past any death's time. */
const lossesMax = 256

interface Loss {
  readonly from: bigint
  readonly to: bigint
  readonly lost: number
}

/** When records were lost since the watching began. Times are nanoseconds since boot. */
export class LossLog {
  watchedSince: bigint
  /** All that was lost since the watching began. */
  total = 0
  private readonly losses: Loss[] = []

  constructor(watchedSince: bigint) {
    this.watchedSince = watchedSince
  }

  add(from: bigint, to: bigint, lost: number): void {
    this.total += lost
    this.losses.push({ from, to, lost })
    if (this.losses.length > lossesMax) this.losses.shift()
  }

  /** A new watching begins; what was lost in the last one is no longer counted, but still known. */
  restart(watchedSince: bigint): void {
    this.watchedSince = watchedSince
    this.total = 0
  }

  /** Records lost in any stretch of time that touches this one. */
  between(from: bigint, to: bigint): number {
    return this.losses.reduce((sum, loss) => (loss.to >= from && loss.from <= to ? sum + loss.lost : sum), 0)
  }
}
