import type { Event } from '@whokilled/shared/event'
import { type Worth, worthOf } from './worth.ts'

/** An event on its way to the disk. */
export interface Arriving {
  readonly event: Pick<Event, 'type' | 'at'>
  readonly json: string
  readonly worth: Worth
  /** Length of the JSON. */
  readonly bytes: number
}

/** Events on their way to the disk: what has come while the last batch was written becomes the next. */
export class Arrivals {
  private readonly write: (batch: readonly Arriving[]) => Promise<ReadonlySet<Arriving>>
  private waiting: (Arriving & { readonly resolve: (isKept: boolean) => void })[] = []
  private writing: Promise<void> | undefined
  private unwritten = 0
  private unwrittenBytes = 0

  /** @param write resolves to those that were kept */
  constructor(write: (batch: readonly Arriving[]) => Promise<ReadonlySet<Arriving>>) {
    this.write = write
  }

  /** Not yet on disk, those being written included. */
  get events(): number {
    return this.unwritten
  }

  get bytes(): number {
    return this.unwrittenBytes
  }

  /** Resolves true when the event is on disk, false if it was not kept. */
  add(json: string, event: Pick<Event, 'type' | 'at'>): Promise<boolean> {
    const bytes = Buffer.byteLength(json)
    this.unwritten += 1
    this.unwrittenBytes += bytes
    return new Promise((resolve) => {
      this.waiting.push({ event, json, worth: worthOf(event), bytes, resolve })
      this.writing ??= this.writeAll()
    })
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.writing
  }

  /** Begins with what has gathered in this turn of the event loop. */
  private async writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.waiting.length > 0) {
      const batch = this.nextBatch()
      const kept = await this.write(batch)
      this.unwritten -= batch.length
      for (const event of batch) {
        this.unwrittenBytes -= event.bytes
        event.resolve(kept.has(event))
      }
    }
    this.writing = undefined
  }

  private nextBatch() {
    let bytes = 0
    const end = this.waiting.findIndex((event) => {
      bytes += event.bytes
      return bytes > batchBytesMax
    })
    return this.waiting.splice(0, Math.min(batchEventsMax, end === -1 ? this.waiting.length : Math.max(1, end)))
  }
}

/** What is written at once. */
const batchEventsMax = 1_000
const batchBytesMax = 1_048_576
