import type { AgentStamp } from '@whokilled/shared/event'
import type { EventDraft } from './event-draft.ts'
import type { EventSink } from './event-sink.ts'
import type { EventStamp } from './stamp.ts'

export interface OutletOptions {
  readonly stamp: EventStamp
  readonly sink: EventSink
  readonly counters: { events: number; unproven: number }
}

/** How many events may wait for the proof that kills are seen; more are not kept. */
const waitingMax = 10_000

/**
 * Where events leave the agent, stamped. Until it is proven that kills are seen they wait: the first event says since
 * when this host is watched.
 */
export class Outlet {
  /** Which probe the events are from. */
  probe: AgentStamp['probe'] = 'none'
  private readonly options: OutletOptions
  private isProven = false
  private waiting: EventDraft[] = []

  constructor(options: OutletOptions) {
    this.options = options
  }

  /** Kills are seen now. */
  get isOpen(): boolean {
    return this.isProven
  }

  /** @param first what is told before all that waits */
  async open(first: readonly EventDraft[]): Promise<void> {
    this.isProven = true
    const { waiting } = this
    this.waiting = []
    await this.emit([...first, ...waiting])
  }

  close(): void {
    this.isProven = false
  }

  async emit(drafts: readonly EventDraft[]): Promise<void> {
    const { counters, sink, stamp } = this.options
    if (!this.isProven) {
      const kept = drafts.slice(0, waitingMax - this.waiting.length)
      this.waiting.push(...kept)
      counters.unproven += drafts.length - kept.length
      return
    }
    for (const draft of drafts) {
      counters.events += 1
      await sink.accept(stamp.stamp(draft, this.probe))
    }
  }
}
