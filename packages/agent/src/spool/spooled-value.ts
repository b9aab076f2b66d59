import { type EventType, eventTypes } from '@whokilled/shared/event'
import { checksumOf, type EventKey } from './key.ts'
import { isTimestamp } from './loss.ts'

/** What of an event has to be known to send it, or to tell that it was lost. */
export interface SpooledFacts {
  readonly id: string
  readonly type: EventType
  readonly at: string
}

/** Why a value is not published. */
export type UnreadableReason = 'checksum' | 'not-json' | 'not-an-event'

/** The facts of a value as it was written; a reason where it was not written so. */
export function readValue(json: string, key: EventKey): SpooledFacts | UnreadableReason {
  // The length first: a value that is too large is not looked at.
  if (json.length > key.bytes || checksumOf(json) !== key.checksum) return 'checksum'
  return factsOf(json)
}

/** The facts of any text that says to be an event. */
export function factsOf(json: string): SpooledFacts | UnreadableReason {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return 'not-json'
  }
  const { id, type, at } = (value ?? {}) as Record<string, unknown>
  const isEvent =
    typeof id === 'string' && idPattern.test(id) && isEventType(type) && isTimestamp(at) && !json.includes('\n')
  return isEvent ? { id, type, at } : 'not-an-event'
}

/** It goes into the header of a message. */
const idPattern = /^[\w-]{1,64}$/

function isEventType(type: unknown): type is EventType {
  return eventTypes.includes(type as EventType)
}
