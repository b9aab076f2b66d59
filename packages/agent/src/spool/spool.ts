/**
 * Events that wait to be published, on disk: docs/spool.md describes the format, what is synced, the limits, and what
 * happens at each.
 */
import type { Event, EventType } from '@whokilled/shared/event'
import type { SpoolError } from '../errors.ts'
import { chooseDrops, type Drop, type StoredKey } from './drops.ts'
import { type Head, headKey, writeHead } from './head.ts'
import { type EventKey, eventChecksum, keyFrom, keyOf, parseKey } from './key.ts'
import { del, faultOf, hasRoomForLog, type Level, openError, put, writeOps } from './level.ts'
import { type Loaded, load } from './load.ts'
import { addLoss, type Loss, type LostEvents, lossOf } from './loss.ts'
import { Marks, markKey } from './marks.ts'
import { makeRoom } from './room.ts'
import { readValue, timeOf, type UnreadableReason } from './spooled-value.ts'
import { nothing, tallied, total } from './tally.ts'
import { dropOrder, typeOfWorth, type Worth, worthOf } from './worth.ts'

/** An event that was read. */
export interface SpooledEvent {
  readonly key: string
  readonly id: string
  readonly type: EventType
  /** The event as JSON. */
  readonly json: string
  /** Length of the JSON. */
  readonly bytes: number
}

export interface SpoolOptions {
  readonly folder: string
  readonly eventsMax: number
  /** Bytes of JSON. */
  readonly bytesMax?: number
  /** How long agents may run with an event that cannot be published, milliseconds. */
  readonly ageMsMax?: number
  /** The spool was damaged, and what was done about it; or it cannot be opened yet. */
  readonly onTrouble?: (trouble: SpoolError) => void
}

export interface SpoolCounters {
  appended: number
  /** Published, or refused by the server. */
  removed: number
  refusedByDisk: number
  /** Dropped at each limit. */
  droppedForEvents: number
  droppedForBytes: number
  droppedForAge: number
  /** Found unreadable, by reason. */
  unreadable: Record<UnreadableReason, number>
  reopened: number
}

interface Waiting {
  readonly event: Pick<Event, 'type' | 'at'>
  readonly json: string
  readonly worth: Worth
  readonly bytes: number
  readonly resolve: (isKept: boolean) => void
}

export class Spool {
  readonly counters: SpoolCounters = {
    appended: 0,
    removed: 0,
    refusedByDisk: 0,
    droppedForEvents: 0,
    droppedForBytes: 0,
    droppedForAge: 0,
    unreadable: { checksum: 0, 'not-json': 0, 'not-an-event': 0 },
    reopened: 0,
  }
  private readonly options: Required<SpoolOptions>
  /** Undefined until it could be opened. */
  private level: Level | undefined
  private tally = nothing
  private next = 1
  private marks: Marks
  private ranMsBefore = 0
  private loadedAtMs = performance.now()
  /** What no gap event tells yet, and what one tells that is on its way to the disk. */
  private loss: Loss | undefined
  private taken: Loss | undefined
  private toldAtMs = Number.NEGATIVE_INFINITY

  /** All events before this place are gone, but those of types that are held. */
  private readFrom = 1
  private held: ReadonlySet<EventType> = new Set()
  private heldFrom: number | undefined
  /** What was read last and is not removed; it is not dropped. */
  private readonly lent = new Map<string, number>()
  private lentTo = 0
  private isClosed = false
  /** Before these places there is no event of that worth, or any, that could be dropped. */
  private dropFrom: Record<Worth | 'any', number> = startOfDrops(1)

  private waiting: Waiting[] = []
  private waitingBytes = 0
  /** Not yet on disk, those being written included. */
  private unwritten = 0
  private flushing: Promise<void> | undefined
  /** Whatever uses the store does so one after the other, because it may have to be opened anew. */
  private turn: Promise<unknown> = Promise.resolve()
  private mustReopen = true
  private damages = 0
  private isUnreadable = false
  private isRefusing = false
  private reopenedAtMs = Number.NEGATIVE_INFINITY
  /** Stretches in which events were deleted, and how many bytes of them. */
  private gone: { readonly from: number; readonly to: number; readonly bytes: number }[] = []
  private wake: (() => void) | undefined

  private constructor(options: SpoolOptions) {
    this.options = {
      bytesMax: spoolBytesMax,
      ageMsMax: spoolAgeMsMax,
      onTrouble: () => undefined,
      ...options,
    }
    this.marks = new Marks(this.options.ageMsMax, [])
  }

  /** Rejects where somebody has to change something. A disk that is full or fails is tried again until it works. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options)
    try {
      spool.adopt(await load({ folder: options.folder, onTrouble: spool.options.onTrouble }))
    } catch (error) {
      if (faultOf(error) !== 'disk') throw error
      spool.options.onTrouble(error as SpoolError)
    }
    return spool
  }

  /** Events that wait, those being written included. */
  get length(): number {
    return total(this.tally).events + this.unwritten
  }

  /** Bytes of their JSON, without those being written. */
  get bytes(): number {
    return total(this.tally).bytes
  }

  /** Resolves true when the event is on disk, false if it is not taken; then it is counted as lost. */
  append(json: string, event: Pick<Event, 'type' | 'at'> = JSON.parse(json) as Event): Promise<boolean> {
    const bytes = Buffer.byteLength(json)
    this.unwritten += 1
    this.waitingBytes += bytes
    return new Promise((resolve) => {
      this.waiting.push({ event, json, worth: worthOf(event), bytes, resolve })
      this.flushing ??= this.flush()
    })
  }

  /** Bytes that wait to be written. */
  get unwrittenBytes(): number {
    return this.waitingBytes
  }

  /**
   * The oldest events, so many and so large; waits until there is one. Empty when the signal aborts. They are not
   * dropped until they are removed, or others are read.
   * @param held events of these types are left where they are
   */
  async read(count: number, signal: AbortSignal, held: ReadonlySet<EventType> = none): Promise<SpooledEvent[]> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      const found = await this.inTurn(() => this.oldest(count, held))
      if (found === 'unreadable') continue
      if (found.length > 0) return found
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
      const keys = events.map(({ key }) => parseKey(key)).filter((key) => key !== undefined)
      this.tally = tallied(this.tally, keys, -1)
      this.counters.removed += keys.length
      if (cause !== undefined) {
        for (const { type, json } of events) this.lose({ cause, type, events: 1, since: timeOf(json) ?? now() })
      }
      for (const { key } of events) this.lent.delete(key)
      this.readFrom = Math.max(this.readFrom, this.lentFrom ?? this.lentTo + 1)
      const forgotten = this.marks.forget(Math.min(this.readFrom, this.heldFrom ?? this.readFrom))
      const dels = [...events.map(({ key }) => key), ...forgotten.map(markKey)]
      const sync = cause !== undefined
      await this.change((level) => writeOps(level, [...dels.map(del), this.headOp()], { sync }))
      this.gone.push({ from: 0, to: this.readFrom, bytes: bytesOf(keys) })
      await this.compact()
    })
  }

  /** An event was lost before it came here. It is told with the next gap. */
  lose(lost: LostEvents): void {
    this.loss = addLoss(this.loss, lossOf(lost))
  }

  /**
   * What no gap event has told yet; it is told when that event (`events-dropped`, with its count) has been appended.
   * Undefined while the disk refuses events: what tells of it would be lost, too. At a limit where events go on being
   * dropped once in ten minutes.
   */
  takeLoss(): Loss | undefined {
    this.loss = addLoss(this.taken, this.loss)
    this.taken = undefined
    const nowMs = performance.now()
    if (this.isRefusing || (this.isFull && nowMs - this.toldAtMs < tellMsMin)) return undefined
    if (this.loss !== undefined) this.toldAtMs = nowMs
    this.taken = this.loss
    this.loss = undefined
    return this.taken
  }

  async close(): Promise<void> {
    await this.flushing
    this.isClosed = true
    await this.inTurn(async () => this.level?.close())
  }

  private get isFull(): boolean {
    const { events, bytes } = total(this.tally)
    return events > this.options.eventsMax * fullShare || bytes > this.options.bytesMax * fullShare
  }

  /** Milliseconds that agents have run with this spool. */
  private get ranMs(): number {
    return Math.round(this.ranMsBefore + performance.now() - this.loadedAtMs)
  }

  /** Writes what has gathered in this turn of the event loop, and while the last batch was written. */
  private async flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.waiting.length > 0) {
      let bytes = 0
      const end = this.waiting.findIndex((event) => {
        bytes += event.bytes
        return bytes > batchBytesMax
      })
      const batch = this.waiting.splice(
        0,
        Math.min(batchEventsMax, end === -1 ? this.waiting.length : Math.max(1, end)),
      )
      const kept = await this.inTurn(() => this.write(batch))
      this.unwritten -= batch.length
      for (const event of batch) {
        this.waitingBytes -= event.bytes
        event.resolve(kept.has(event))
      }
      if (kept.size > 0) this.wake?.()
    }
    this.flushing = undefined
  }

  /** Writes a batch, and in the same one what is dropped for it and what is to be told of that. */
  private async write(batch: readonly Waiting[]): Promise<ReadonlySet<Waiting>> {
    let kept: readonly Waiting[] = []
    const isWritten = await this.change(async (level) => {
      const { ranMs, options, next } = this
      const limits = { events: options.eventsMax, bytes: options.bytesMax }
      const old = await this.tooOld(level)
      const chosen = new Set(old?.keys.map(({ key }) => key))
      const left = tallied(this.tally, old?.keys ?? [], -1)
      const isLent = (key: string) => this.lent.has(key) || chosen.has(key)
      const lentOf = (worth: Worth) => [...this.lent.keys()].filter((key) => parseKey(key)?.worth === worth).length
      const asked = { level, tally: left, limits, coming: batch, next, from: this.dropFrom, isLent, lentOf }
      const room = await makeRoom(asked)
      const refused = new Set(room.refused)
      kept = batch.filter((event) => !refused.has(event))
      const drops = old === undefined ? room.drops : [old, ...room.drops]
      const dropped = drops.flatMap(({ keys }) => keys)
      const lost = [...drops.map(({ loss }) => loss), ...room.refused.map((event) => this.lossOf(event, 'limit'))]
      const loss = lost.reduce(addLoss, undefined)
      const tells = kept.some(({ event }) => this.isTelling(event))
      const tally = tallied(tallied(this.tally, dropped, -1), kept, 1)
      const mark = this.marks.due(next + kept.length, ranMs)
      const head = {
        ...{ next: next + kept.length, ranMs, tally },
        loss: [tells ? undefined : this.taken, this.loss, loss].reduce(addLoss, undefined),
      }
      await writeOps(
        level,
        [
          ...dropped.map(({ key }) => del(key)),
          ...kept.map((event, at) => put(keyOf(keyAt(event, next + at)), event.json)),
          ...(mark === undefined ? [] : [put(markKey(mark), String(mark.ranMs))]),
          put(headKey, writeHead(head)),
        ],
        { sync: true },
      )
      this.tally = tally
      this.next = head.next
      this.loss = addLoss(this.loss, loss)
      if (tells) this.taken = undefined
      if (mark !== undefined) this.marks.add(mark)
      if (old !== undefined) this.dropFrom.any = old.from
      for (const { worth, from, keys } of room.drops) {
        if (keys.length > 0) this.gone.push({ from: this.dropFrom[worth], to: from, bytes: bytesOf(keys) })
        this.dropFrom[worth] = from
      }
      this.count(old, room)
    })
    if (isWritten) this.counters.appended += kept.length
    else this.refuse(batch)
    this.isRefusing = !isWritten
    await this.compact()
    return new Set(isWritten ? kept : [])
  }

  private count(old: Drop | undefined, room: Awaited<ReturnType<typeof makeRoom>>): void {
    this.counters.droppedForAge += old?.keys.length ?? 0
    const atLimit = room.drops.reduce((sum, { keys }) => sum + keys.length, room.refused.length)
    this.counters[room.limit === 'bytes' ? 'droppedForBytes' : 'droppedForEvents'] += atLimit
  }

  private refuse(batch: readonly Waiting[]): void {
    for (const event of batch) {
      this.loss = addLoss(this.loss, this.lossOf(event, 'disk'))
      if (!this.isTelling(event.event)) continue
      this.loss = addLoss(this.taken, this.loss)
      this.taken = undefined
    }
    this.counters.refusedByDisk += batch.length
  }

  private async tooOld(level: Level): Promise<Drop | undefined> {
    const mark = this.marks.expired(this.ranMs)
    const from = Math.max(this.dropFrom.any, Math.min(this.readFrom, this.heldFrom ?? this.readFrom))
    if (mark === undefined || from >= mark.next) return undefined
    return await chooseDrops({
      ...{ level, cause: 'age', worth: undefined, from, to: mark.next },
      isLent: (key) => this.lent.has(key),
      wanted: { events: batchEventsMax, bytes: 0 },
      eventsMax: batchEventsMax,
    })
  }

  /** An event that tells of a loss takes what it tells with it, unless that is told again. */
  private lossOf({ event, worth }: Waiting, cause: 'limit' | 'disk'): Loss {
    const { lostRecords } = event as { lostRecords?: number }
    const count = worth === 'g' && !this.isTelling(event) ? Math.max(1, Number(lostRecords ?? 1)) : 1
    return lossOf({ cause, type: event.type, events: 1, count, since: event.at })
  }

  private isTelling(event: Pick<Event, 'type'>): boolean {
    const { why, lostRecords } = event as { why?: unknown; lostRecords?: unknown }
    return event.type === 'coverage' && why === 'events-dropped' && lostRecords === this.taken?.count
  }

  private async oldest(count: number, held: ReadonlySet<EventType>): Promise<SpooledEvent[] | 'unreadable'> {
    if (this.level?.status !== 'open' || this.isUnreadable) await this.reopen()
    this.hold(held)
    try {
      return await this.readOldest(this.level as Level, count)
    } catch (error) {
      this.failed(error)
      throw openError(this.options.folder, error)
    }
  }

  private async readOldest(level: Level, count: number): Promise<SpooledEvent[] | 'unreadable'> {
    const found: SpooledEvent[] = []
    const bad: StoredKey[] = []
    const countMax = Math.min(count, readEventsMax)
    let [bytes, isEnd] = [0, false]
    const entries = level.iterator({
      gte: keyFrom(this.readFrom),
      lt: keyFrom(this.next),
      highWaterMarkBytes: chunkBytes,
    })
    try {
      while (!isEnd && found.length < countMax && bytes < readBytesMax) {
        const chunk = await entries.nextv(Math.min(countMax - found.length, chunkEvents))
        isEnd = chunk.length === 0
        for (const [key, json] of chunk) {
          const parsed = parseKey(key)
          if (parsed === undefined) continue
          if (this.held.has(typeOfWorth[parsed.worth])) {
            this.heldFrom = Math.min(this.heldFrom ?? parsed.seq, parsed.seq)
            continue
          }
          const facts = readValue(json, parsed)
          if (typeof facts === 'string') {
            this.counters.unreadable[facts] += 1
            bad.push({ ...parsed, key })
          } else found.push({ key, id: facts.id, type: typeOfWorth[parsed.worth], json, bytes: parsed.bytes })
          bytes += parsed.bytes
        }
      }
    } finally {
      await entries.close()
    }
    this.damages = 0
    this.lend(found)
    if (bad.length > 0) await this.giveUp(bad, timeOf(found[0]?.json))
    return found.length === 0 && bad.length > 0 ? 'unreadable' : found
  }

  private lend(events: readonly SpooledEvent[]): void {
    // What was lent before can be dropped again.
    if (this.lentFrom !== undefined) this.dropFrom = startOfDrops(this.lentFrom)
    this.lent.clear()
    for (const { key } of events) {
      this.lentTo = (parseKey(key) as EventKey).seq
      this.lent.set(key, this.lentTo)
    }
  }

  /** The place of the first event that is lent: they are kept in their order. */
  private get lentFrom(): number | undefined {
    return this.lent.values().next().value
  }

  /** What cannot be read is lost; about when it happened its neighbour tells. */
  private async giveUp(bad: readonly StoredKey[], at = now()): Promise<void> {
    this.tally = tallied(this.tally, bad, -1)
    for (const { worth } of bad) this.lose({ cause: 'damaged', type: typeOfWorth[worth], events: 1, since: at })
    await this.change((level) => writeOps(level, [...bad.map(({ key }) => del(key)), this.headOp()], { sync: true }))
  }

  /**
   * LevelDB keeps the tables of what was removed until it comes past them, and maps what was read of them into memory.
   * So it is sent past them now and then.
   */
  private async compact(): Promise<void> {
    if (bytesOf(this.gone) < compactBytes) return
    const from = Math.min(...this.gone.map((range) => range.from))
    const to = Math.max(...this.gone.map((range) => range.to))
    this.gone = []
    await this.change((level) => level.compactRange(keyFrom(from), keyFrom(to)))
  }

  /** Types that are no longer held are read from where they were left. */
  private hold(held: ReadonlySet<EventType>): void {
    const isReleased = [...this.held].some((type) => !held.has(type))
    if (isReleased && this.heldFrom !== undefined) {
      this.readFrom = Math.min(this.readFrom, this.heldFrom)
      this.heldFrom = undefined
    }
    this.held = held
  }

  /** Changes the store; false if the disk refuses it. The caller goes on watching, and tells of what is lost. */
  private async change(work: (level: Level) => Promise<void>): Promise<boolean> {
    try {
      if (this.mustReopen || this.level === undefined) await this.reopen()
      await work(this.level as Level)
      return true
    } catch (error) {
      this.failed(error)
      return false
    }
  }

  private failed(error: unknown): void {
    this.mustReopen = true
    if (faultOf(error) !== 'damaged') return
    this.isUnreadable = true
  }

  private async reopen(): Promise<void> {
    const { folder, onTrouble } = this.options
    const nowMs = performance.now()
    if (this.isClosed || nowMs - this.reopenedAtMs < reopenMsMin || !(await hasRoomForLog(folder))) {
      throw openError(folder, new Error('a write to it failed, and its disk is still full'))
    }
    this.reopenedAtMs = nowMs
    this.loss = addLoss(this.taken, this.loss)
    this.taken = undefined
    const known = this.level === undefined ? undefined : this.head
    if (this.isUnreadable) this.damages += 1
    await this.level?.close()
    const repairs = this.isUnreadable ? Math.min(this.damages, 2) : 0
    // Refused events that reached the log all the same have been told as lost.
    const isGone = ({ seq, worth }: EventKey) =>
      known !== undefined && (seq >= this.next || (seq < this.readFrom && !this.held.has(typeOfWorth[worth])))
    const loaded = await load({ folder, known, isGone, skipTries: repairs, onTrouble })
    this.loss = known === undefined ? this.loss : undefined
    this.adopt(loaded)
    this.counters.reopened += 1
  }

  private adopt({ level, head, first, marks }: Loaded): void {
    this.level = level
    this.tally = head.tally
    this.next = head.next
    this.loss = addLoss(this.loss, head.loss)
    this.ranMsBefore = head.ranMs
    this.loadedAtMs = performance.now()
    this.marks = new Marks(this.options.ageMsMax, marks)
    this.readFrom = first
    this.dropFrom = startOfDrops(first)
    this.mustReopen = false
    this.isUnreadable = false
  }

  private get head(): Head {
    const { next, ranMs, tally } = this
    return { next, ranMs, tally, loss: addLoss(this.taken, this.loss) }
  }

  private headOp() {
    return put(headKey, writeHead(this.head))
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work)
    this.turn = done.catch(() => undefined)
    return done
  }
}

const none: ReadonlySet<EventType> = new Set()

/** 512 MiB and a week, where nothing else is said. */
const spoolBytesMax = 536_870_912
const spoolAgeMsMax = 604_800_000

/** A store that fails again and again is opened anew once in this time. */
const reopenMsMin = 1_000

/** What is written at once, and read at once. */
const batchEventsMax = 1_000
const batchBytesMax = 1_048_576
const readEventsMax = 10_000
const readBytesMax = 1_048_576
const chunkEvents = 500
const chunkBytes = 262_144

/** So many bytes of events are removed before the tables that held them are deleted. */
const compactBytes = 8_388_608

/** From here on it is at its limit, and what is dropped is told once in this time. */
const fullShare = 0.99
const tellMsMin = 600_000

function startOfDrops(from: number): Record<Worth | 'any', number> {
  return { ...(Object.fromEntries(dropOrder.map((worth) => [worth, from])) as Record<Worth, number>), any: from }
}

function keyAt({ worth, bytes, json }: Waiting, seq: number): EventKey {
  return { seq, worth, bytes, checksum: eventChecksum(seq, worth, json) }
}

function bytesOf(events: readonly { readonly bytes: number }[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes, 0)
}

function now(): string {
  return new Date().toISOString()
}
