import type { SpooledEvent } from '@whokilled/agent/spool/spooled-value'
import type { Waiting } from '@whokilled/agent/wire/publish'
import type { Event } from '@whokilled/shared/event'

/** Events that wait in memory: a thousand real spools in one process would measure its disk, not the fleet. */
export class Queue implements Waiting {
  private waiting: SpooledEvent[] = []
  private count = 0
  private wake: (() => void) | undefined

  push(event: Event): void {
    const json = JSON.stringify(event)
    this.count += 1
    const key = String(this.count).padStart(16, '0')
    this.waiting.push({ key, id: event.id, type: event.type, json, bytes: Buffer.byteLength(json) })
    this.wake?.()
  }

  get length(): number {
    return this.waiting.length
  }

  async read(count: number, signal: AbortSignal): Promise<SpooledEvent[]> {
    while (this.waiting.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    return this.waiting.slice(0, count)
  }

  async remove(events: readonly Pick<SpooledEvent, 'key'>[]): Promise<void> {
    const gone = new Set(events.map(({ key }) => key))
    this.waiting = this.waiting.filter(({ key }) => !gone.has(key))
  }
}
