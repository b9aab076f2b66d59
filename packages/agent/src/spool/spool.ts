/**
 * Events that wait to be published, on disk.
 *
 * Format: a LevelDB store. Key: a number from 1, counted up, as 16 decimal digits, so that the order of the keys
 * is the order of the events. Value: the event as one line of JSON. An event is deleted when the server has
 * acknowledged it.
 *
 * Sync: appends are gathered and written in batches with fsync; `append` resolves when the event is on disk.
 * After a crash LevelDB drops a torn tail of its log, which holds only events whose append had not resolved.
 *
 * Limits: `spoolEventsMax` events. When it is full, or the disk is, an event is refused and counted; the caller
 * reports the loss as a gap once there is room again.
 *
 * A failed write leaves LevelDB's log in a state that it does not know itself: what is appended behind it could be
 * lost at the next start. So nothing more is written until the store has been opened anew, which needs room for
 * another copy of the log. What waits can be read and published meanwhile.
 */
import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { SpoolError } from '../errors.ts'

export interface SpooledEvent {
  readonly key: string
  /** The event as JSON. */
  readonly json: string
}

export interface SpoolOptions {
  readonly folder: string
  readonly eventsMax: number
}

export class Spool {
  readonly counters = { appended: 0, refusedFull: 0, refusedByDisk: 0, removed: 0, reopened: 0 }
  private readonly level: ClassicLevel<string, string>
  private readonly options: SpoolOptions
  /** Keys of the oldest event, and of the next to be written. */
  private first: number
  private next: number
  private unwritten = 0
  private batch: string[] = []
  private writing: Promise<boolean> | undefined
  /** Whatever uses the store does so one after the other, because it may have to be opened anew. */
  private turn: Promise<unknown> = Promise.resolve()
  private isDamaged = false
  private reopenedAtMs = 0
  private wake: (() => void) | undefined

  private constructor(level: ClassicLevel<string, string>, options: SpoolOptions, first: number, next: number) {
    this.level = level
    this.options = options
    this.first = first
    this.next = next
  }

  static async open(options: SpoolOptions): Promise<Spool> {
    const level = new ClassicLevel<string, string>(options.folder)
    try {
      await level.open()
      const [first] = await level.keys({ limit: 1 }).all()
      const [last] = await level.keys({ limit: 1, reverse: true }).all()
      const next = last === undefined ? 1 : Number(last) + 1
      return new Spool(level, options, first === undefined ? next : Number(first), next)
    } catch (cause) {
      throw openError(options.folder, cause as Error)
    }
  }

  /** Events that wait, those being written included. */
  get length(): number {
    return this.next - this.first + this.unwritten
  }

  /** Resolves true when the event is on disk, false if it was refused; then it is counted. */
  async append(json: string): Promise<boolean> {
    if (this.length >= this.options.eventsMax) {
      this.counters.refusedFull += 1
      return false
    }
    this.batch.push(json)
    this.unwritten += 1
    this.writing ??= this.flush()
    return this.writing
  }

  /** The oldest events; waits until there is one. Empty when the signal aborts. */
  async read(count: number, signal: AbortSignal): Promise<SpooledEvent[]> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      const found = await this.inTurn(() => this.oldest(count))
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
   * Forgets all events up to this key (inclusive). Where the disk refuses the deletion it is made up for when the
   * store has been opened anew; after a crash before that these events are published again.
   */
  async remove(upTo: string): Promise<void> {
    this.counters.removed += Number(upTo) + 1 - this.first
    this.first = Number(upTo) + 1
    await this.inTurn(() => this.change(() => this.level.clear({ lte: upTo })))
  }

  async close(): Promise<void> {
    await this.writing
    await this.inTurn(() => this.level.close())
  }

  /** Writes what has gathered in this turn of the event loop, and while the last batch was written. */
  private async flush(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve))
    const batch = this.batch
    this.batch = []
    this.writing = undefined
    return this.inTurn(() => this.write(batch))
  }

  private async write(batch: readonly string[]): Promise<boolean> {
    const puts = batch.map((value, index) => ({ type: 'put' as const, key: keyOf(this.next + index), value }))
    const isWritten = await this.change(() => this.level.batch(puts, { sync: true }))
    this.unwritten -= batch.length
    if (isWritten) this.next += batch.length
    this.counters[isWritten ? 'appended' : 'refusedByDisk'] += batch.length
    if (isWritten) this.wake?.()
    return isWritten
  }

  private async oldest(count: number): Promise<SpooledEvent[]> {
    if (this.level.status !== 'open') await this.reopen()
    const found = await this.level.iterator({ gte: keyOf(this.first), lt: keyOf(this.next), limit: count }).all()
    return found.map(([key, json]) => ({ key, json }))
  }

  /** Changes the store; false if the disk refuses it. The caller goes on watching, and tells of what is lost. */
  private async change(work: () => Promise<void>): Promise<boolean> {
    try {
      if (this.isDamaged) await this.reopen()
      await work()
      return true
    } catch {
      this.isDamaged = true
      return false
    }
  }

  private async reopen(): Promise<void> {
    const nowMs = performance.now()
    if (nowMs - this.reopenedAtMs < reopenMsMin || !(await hasRoomForLog(this.options.folder))) {
      throw openError(this.options.folder, new Error('a write to it failed, and its disk is still full'))
    }
    this.reopenedAtMs = nowMs
    await this.level.close()
    await this.level.open()
    await this.level.clear({ lt: keyOf(this.first) })
    // Refused events that reached the log all the same have been told as lost.
    await this.level.clear({ gte: keyOf(this.next) })
    this.counters.reopened += 1
    this.isDamaged = false
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work)
    this.turn = done.catch(() => undefined)
    return done
  }
}

const keyDigits = 16

/** A store that fails again and again is opened anew once in this time. */
const reopenMsMin = 1_000

/** What LevelDB needs beside a second copy of its log to start. */
const startBytes = 65_536

function keyOf(number: number): string {
  return number.toString().padStart(keyDigits, '0')
}

/** At its start LevelDB writes what is in its log into a table, and begins a new log. */
async function hasRoomForLog(folder: string): Promise<boolean> {
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(folder, name))).size))
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize >= sizes.reduce((sum, size) => sum + size, startBytes)
}

function openError(folder: string, cause: Error & { code?: string; cause?: unknown }): SpoolError {
  const inner = cause.cause instanceof Error ? cause.cause : cause
  if ((inner as { code?: string }).code === 'LEVEL_LOCKED') {
    return new SpoolError(
      'spool-locked',
      `expected the spool ${folder} to be free, another process has it open`,
      'Another agent runs on this host with the same state folder: stop it, or give this one a "stateFolder" of its own.',
      { cause },
    )
  }
  return new SpoolError(
    'spool-unusable',
    `expected to open the spool ${folder}: ${inner.message}`,
    'Check that the disk has room and that the folder belongs to the agent. If it is damaged, move it away: what waited in it is lost.',
    { cause },
  )
}
