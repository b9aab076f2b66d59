import { type EventType, eventTypes } from '@whokilled/shared/event'
import { type EventKey, eventChecksum } from './key.ts'
import { isTimestamp } from './loss.ts'

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

/** What of an event has to be known to send it, or to tell that it was lost. */
interface SpooledFacts {
  readonly id: string
  readonly type: EventType
  readonly at: string
}

/** Why a value is not published. */
export type UnreadableReason = 'checksum' | 'not-json' | 'not-an-event'

/** The id of a value; a reason where it is not what was written. With the right checksum it is, and need not be parsed. */
export function readValue(json: string, key: EventKey): { id: string } | UnreadableReason {
  // The length first: a value that is too large is not looked at.
  if (json.length > key.bytes || eventChecksum(key.seq, key.worth, json) !== key.checksum) return 'checksum'
  const id = beginning.exec(json)?.[1]
  return id === undefined || !json.endsWith('}') || json.includes('\n') ? factsOf(json) : { id }
}

/** How every event begins that this program makes. */
const beginning = /^\{"v":1,"id":"([\w-]{1,64})",/

/** When an event happened, of its JSON. */
export function timeOf(json: string | undefined): string | undefined {
  const facts = factsOf(json ?? '')
  return typeof facts === 'string' ? undefined : facts.at
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
