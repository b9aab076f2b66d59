import type { EventType } from '@whokilled/shared/event'
import type { EventKey } from './key.ts'
import { dropOrder, typeOfWorth, type Worth } from './worth.ts'

/** Up to which place events were read, are held or lent, and where the search for what can be dropped begins. */
export class Places {
  /** All events before this place are gone, but those of types that are held. */
  readFrom = 1
  /** Before these places there is no event of that worth, or any, that could be dropped. */
  dropFrom: Record<Worth | 'any', number> = startOfDrops(1)
  private held: ReadonlySet<EventType> = new Set()
  private heldFrom: number | undefined
  /** What was read last and is not removed; it is not dropped. */
  private readonly lent = new Map<string, EventKey>()
  private lentTo = 0

  /** The store was opened. */
  begin(first: number): void {
    this.readFrom = first
    this.dropFrom = startOfDrops(first)
  }

  /** All events before this place are gone. */
  get first(): number {
    return Math.min(this.readFrom, this.heldFrom ?? this.readFrom)
  }

  /** Published or refused, though its deletion may not have come to the disk. */
  isGone({ seq, worth }: EventKey): boolean {
    return seq < this.readFrom && !this.held.has(typeOfWorth[worth])
  }

  /** Types that are no longer held are read from where they were left. */
  hold(held: ReadonlySet<EventType>): void {
    const isReleased = [...this.held].some((type) => !held.has(type))
    if (isReleased) {
      this.readFrom = this.first
      this.heldFrom = undefined
    }
    this.held = held
  }

  /** Whether an event that was come upon is left where it is. */
  isHeld({ seq, worth }: EventKey): boolean {
    const isHeld = this.held.has(typeOfWorth[worth])
    if (isHeld) this.heldFrom = Math.min(this.heldFrom ?? seq, seq)
    return isHeld
  }

  /** What was lent before can be dropped again. */
  lend(events: Iterable<readonly [string, EventKey]>): void {
    if (this.lentFrom !== undefined) this.dropFrom = startOfDrops(this.lentFrom)
    this.lent.clear()
    for (const [key, parsed] of events) {
      this.lentTo = parsed.seq
      this.lent.set(key, parsed)
    }
  }

  isLent(key: string): boolean {
    return this.lent.has(key)
  }

  /** How many of this worth. */
  lentOf(worth: Worth): number {
    return [...this.lent.values()].filter((key) => key.worth === worth).length
  }

  /** These are gone. */
  remove(keys: Iterable<string>): void {
    for (const key of keys) this.lent.delete(key)
    this.readFrom = Math.max(this.readFrom, this.lentFrom ?? this.lentTo + 1)
  }

  /** The place of the first event that is lent: they are kept in their order. */
  private get lentFrom(): number | undefined {
    return this.lent.values().next().value?.seq
  }
}

function startOfDrops(from: number): Record<Worth | 'any', number> {
  return { ...(Object.fromEntries(dropOrder.map((worth) => [worth, from])) as Record<Worth, number>), any: from }
}
