import { createHmac, randomUUID } from 'node:crypto'
import { type AgentStamp, type ClockReading, type Event, eventVersion, type Host } from '@whokilled/shared/event'
import type { EventDraft } from './event-draft.ts'

export interface StampOptions {
  readonly host: Host
  /** Known to this host alone, so that no other can guess its events' ids. */
  readonly secret: string
  readonly version: string
  /** How this host's clock stands to the fleet's now; null: not known. */
  readonly clock?: () => ClockReading | null
}

/** Makes drafts into events: gives them their id, their host, and their place in this run's sequence. */
export class EventStamp {
  readonly runId = randomUUID()
  private readonly options: StampOptions
  private seq = 0

  constructor(options: StampOptions) {
    this.options = options
  }

  stamp(draft: EventDraft, probe: AgentStamp['probe']): Event {
    const { key, ...body } = draft
    const { host, secret, version, clock } = this.options
    this.seq += 1
    return {
      v: eventVersion,
      id: eventId(draft.at, `${host.id}\n${host.bootId}\n${draft.type}\n${key}`, secret),
      host,
      agent: { version, probe, runId: this.runId, seq: this.seq },
      ...body,
      clock: clock?.() ?? null,
    } as Event
  }
}

/** UUIDv7 (RFC 9562): the milliseconds of `at`, the rest an HMAC of what makes the event unique. */
export function eventId(at: string, key: string, secret: string): string {
  const bytes = createHmac('sha256', secret).update(key).digest().subarray(0, 16)
  bytes.writeUIntBE(Date.parse(at), 0, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
