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
 */
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
  readonly counters = { appended: 0, refusedFull: 0, refusedByDisk: 0, removed: 0 }
  private readonly level: ClassicLevel<string, string>
  private readonly eventsMax: number
  private next: number
  private first: number
  private batch: { json: string; key: string }[] = []
  private writing: Promise<boolean> | undefined
  private previous: Promise<boolean> = Promise.resolve(true)
  private wake: (() => void) | undefined

  private constructor(level: ClassicLevel<string, string>, eventsMax: number, first: number, next: number) {
    this.level = level
    this.eventsMax = eventsMax
    this.first = first
    this.next = next
  }

  static async open({ folder, eventsMax }: SpoolOptions): Promise<Spool> {
    const level = new ClassicLevel<string, string>(folder)
    try {
      await level.open()
      const [first] = await level.keys({ limit: 1 }).all()
      const [last] = await level.keys({ limit: 1, reverse: true }).all()
      const next = last === undefined ? 1 : Number(last) + 1
      return new Spool(level, eventsMax, first === undefined ? next : Number(first), next)
    } catch (cause) {
      throw openError(folder, cause as Error)
    }
  }

  /** Events that wait, those being written included. */
  get length(): number {
    return this.next - this.first
  }

  /** Resolves true when the event is on disk, false if it was refused; then it is counted. */
  async append(json: string): Promise<boolean> {
    if (this.length >= this.eventsMax) {
      this.counters.refusedFull += 1
      return false
    }
    this.batch.push({ key: keyOf(this.next), json })
    this.next += 1
    this.writing ??= this.flush()
    return this.writing
  }

  /** The oldest events from a key on (exclusive); waits until there is one, or the signal aborts. */
  async read(after: string | undefined, count: number, signal: AbortSignal): Promise<SpooledEvent[]> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      const found = await this.level.iterator({ ...(after === undefined ? {} : { gt: after }), limit: count }).all()
      if (found.length > 0) return found.map(([key, json]) => ({ key, json }))
      const stop = () => this.wake?.()
      signal.addEventListener('abort', stop, { once: true })
      await woken
      signal.removeEventListener('abort', stop)
    }
    return []
  }

  /** Forgets all events up to this key (inclusive). */
  async remove(upTo: string): Promise<void> {
    await this.level.clear({ lte: upTo })
    const removed = Number(upTo) + 1 - this.first
    this.counters.removed += removed
    this.first = Number(upTo) + 1
  }

  async close(): Promise<void> {
    await this.writing
    await this.level.close()
  }

  /** Writes what has gathered in this turn of the event loop, and while the last batch was written. */
  private async flush(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve))
    const batch = this.batch
    this.batch = []
    this.writing = undefined
    const previous = this.previous
    const written = this.write(batch, previous)
    this.previous = written
    return written
  }

  private async write(batch: { json: string; key: string }[], previous: Promise<boolean>): Promise<boolean> {
    await previous
    try {
      await this.level.batch(
        batch.map(({ key, json }) => ({ type: 'put', key, value: json })),
        { sync: true },
      )
    } catch {
      // A full or failing disk: the caller learns it, tells of the loss, and goes on watching.
      this.counters.refusedByDisk += batch.length
      return false
    }
    this.counters.appended += batch.length
    this.wake?.()
    return true
  }
}

const keyDigits = 16

function keyOf(number: number): string {
  return number.toString().padStart(keyDigits, '0')
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
