/**
 * Events that wait to be published, on disk: docs/spool.md describes the format, what is synced, the limits, and what
 * happens at each.
 */
import type { Event, EventType } from '@whokilled/shared/event'
import type { SpoolError } from '../errors.ts'
import { Arrivals, type Arriving } from './arrivals.ts'
import { Contents, type LimitOptions } from './contents.ts'
import { SpoolCounters } from './counters.ts'
import { type Head, headKey, writeHead } from './head.ts'
import { keyFrom, parseKey } from './key.ts'
import { del, put, writeOps } from './level.ts'
import { type Loss, type LostEvents, lossOf } from './loss.ts'
import { markKey } from './marks.ts'
import { Passed } from './passed.ts'
import { Places } from './places.ts'
import { type Oldest, readOldest } from './read-oldest.ts'
import { type SpooledEvent, timeOf } from './spooled-value.ts'
import { Store } from './store.ts'
import { tallied, total } from './tally.ts'
import { Untold } from './untold.ts'
import { typeOfWorth } from './worth.ts'
import { type Written, writeBatch } from './write-batch.ts'

export interface SpoolOptions extends LimitOptions {
  readonly folder: string
  /** The spool was damaged, and what was done about it; or it cannot be opened yet. */
  readonly onTrouble?: (trouble: SpoolError) => void
}

export class Spool {
  readonly counters = new SpoolCounters()
  private readonly contents: Contents
  private readonly places = new Places()
  private readonly untold = new Untold()
  private readonly passed = new Passed()
  private readonly arrivals = new Arrivals((batch) => this.inTurn(() => this.write(batch)))
  private readonly store: Store
  private isRefusing = false
  /** Whatever uses the store does so one after the other. */
  private turn: Promise<unknown> = Promise.resolve()
  private wake: (() => void) | undefined

  private constructor({ folder, onTrouble = () => undefined, ...limits }: SpoolOptions) {
    this.contents = new Contents(limits)
    this.store = new Store({
      ...{ folder, onTrouble },
      known: () => this.head,
      // Refused events that reached the log all the same have been told as lost.
      isGone: (key) => key.seq >= this.contents.next || this.places.isGone(key),
      onOpened: (loaded) => {
        this.contents.begin(loaded)
        this.places.begin(loaded.first)
        this.untold.add(loaded.untold)
      },
      onReopened: () => {
        this.counters.reopened += 1
      },
    })
  }

  /** Rejects where somebody has to change something. A disk that is full or fails is tried again until it works. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options)
    await spool.store.open()
    return spool
  }

  /** Events that wait, those being written included. */
  get length(): number {
    return total(this.contents.tally).events + this.arrivals.events
  }

  /** Bytes of their JSON, without those being written. */
  get bytes(): number {
    return total(this.contents.tally).bytes
  }

  /** Bytes that wait to be written. */
  get unwrittenBytes(): number {
    return this.arrivals.bytes
  }

  /** Resolves true when the event is on disk, false if it is not taken; then it is counted as lost. */
  append(json: string, event: Pick<Event, 'type' | 'at'> = JSON.parse(json) as Event): Promise<boolean> {
    this.untold.arrives({ event })
    return this.arrivals.add(json, event)
  }

  /**
   * The oldest events, so many and so large; waits until there is one. Empty when the signal aborts. They are not
   * dropped until they are removed, or others are read.
   * @param held events of these types are left where they are
   */
  async read(count: number, signal: AbortSignal, held: ReadonlySet<EventType> = none): Promise<Oldest['events']> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      const { events, unreadable } = await this.inTurn(() => this.oldest(count, held))
      if (events.length > 0) return events
      if (unreadable.length > 0) continue
      if (signal.aborted) break
      const stop = () => this.wake?.()
      signal.addEventListener('abort', stop, { once: true })
      await woken
      signal.removeEventListener('abort', stop)
    }
    return []
  }

  /**
   * Forgets these events. Where the disk refuses the deletion it is made up for when the store has been opened anew;
   * after a crash before that they are published again.
   * @param cause where they were not published, but given up
   */
  async remove(events: readonly Pick<SpooledEvent, 'key' | 'type' | 'json'>[], cause?: 'refused'): Promise<void> {
    await this.inTurn(async () => {
      const keys = events.map(({ key }) => key)
      const parsed = keys.map(parseKey).filter((key) => key !== undefined)
      this.contents.tally = tallied(this.contents.tally, parsed, -1)
      this.counters.removed += parsed.length
      if (cause !== undefined) {
        for (const { type, json } of events) this.lose({ cause, type, events: 1, since: timeOf(json) ?? now() })
      }
      this.places.remove(keys)
      const marks = this.contents.marks.forget(this.places.first)
      await this.delete([...keys, ...marks.map(markKey)], { sync: cause !== undefined })
      this.passed.add(0, this.places.readFrom, parsed)
      await this.pass()
    })
  }

  /** An event was lost before it came here. It is told with the next gap. */
  lose(lost: LostEvents): void {
    this.untold.add(lossOf(lost))
  }

  /**
   * What no gap event has told yet; it is told when that event (`events-dropped`, with its count) has been appended.
   * Undefined while the disk refuses events: what tells of it would be lost, too. At a limit where events go on being
   * dropped once in ten minutes.
   */
  takeLoss(): Loss | undefined {
    return this.untold.take({ mayTell: !this.isRefusing, isFull: this.contents.isFull })
  }

  async close(): Promise<void> {
    await this.arrivals.settled()
    await this.inTurn(() => this.store.close())
  }

  private async write(batch: readonly Arriving[]): Promise<ReadonlySet<Arriving>> {
    const { contents, places, untold, passed, counters } = this
    let written: Written | undefined
    this.isRefusing = !(await this.store.change(async (level) => {
      written = await writeBatch(level, batch, { contents, places, untold, passed })
    }))
    if (written !== undefined) counters.countWritten(written)
    else {
      counters.refusedByDisk += batch.length
      untold.refused(batch)
    }
    await this.pass()
    if (written?.kept.length) this.wake?.()
    return new Set(written?.kept)
  }

  private async oldest(count: number, held: ReadonlySet<EventType>): Promise<Oldest> {
    const oldest = await this.store.read((level) => {
      this.places.hold(held)
      return readOldest(level, count, this.places, this.contents.next)
    })
    if (oldest.unreadable.length > 0) await this.giveUp(oldest)
    return oldest
  }

  /** What cannot be read is lost; about when it happened its neighbour tells. */
  private async giveUp({ events, unreadable }: Oldest): Promise<void> {
    const since = timeOf(events[0]?.json) ?? now()
    this.contents.tally = tallied(this.contents.tally, unreadable, -1)
    for (const { worth, reason } of unreadable) {
      this.counters.unreadable[reason] += 1
      this.lose({ cause: 'damaged', type: typeOfWorth[worth], events: 1, since })
    }
    await this.delete(
      unreadable.map(({ key }) => key),
      { sync: true },
    )
  }

  private async delete(keys: readonly string[], { sync }: { sync: boolean }): Promise<void> {
    await this.store.change((level) =>
      writeOps(level, [...keys.map(del), put(headKey, writeHead(this.head))], { sync }),
    )
  }

  private async pass(): Promise<void> {
    const range = this.passed.take()
    if (range === undefined) return
    await this.store.change((level) => level.compactRange(keyFrom(range.from), keyFrom(range.to)))
  }

  private get head(): Head {
    return this.contents.headWith(this.untold.all)
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work)
    this.turn = done.catch(() => undefined)
    return done
  }
}

const none: ReadonlySet<EventType> = new Set()

function now(): string {
  return new Date().toISOString()
}
