import { type Event, type EventType, eventTypes } from '@whokilled/shared/event'
import { messageId } from '@whokilled/shared/subjects'
import { jsonWithin } from '../spool/event-size.ts'
import type { SpooledEvent } from '../spool/spooled-value.ts'
import { nameThen } from './renamed.ts'

/** Events of one type that are sent as one message, one a line. */
export interface Message {
  readonly type: EventType
  /** The host's name when its events were made; undefined: that cannot be told. */
  readonly hostName: string | undefined
  readonly id: string
  readonly body: string
  readonly events: readonly SpooledEvent[]
}

/** The most events in a message, and bytes, whatever the server would take. */
export const messageEventsMax = 100
export const messageBytesMax = 262_144

/** Neighbours of the same type become one message, so the order of all events stays. */
export function neighbours(events: readonly SpooledEvent[], bytesMax: number): Message[] {
  const runs: SpooledEvent[][] = []
  for (const event of events) {
    const run = runs.at(-1)
    if (run?.[0]?.type === event.type) run.push(event)
    else runs.push([event])
  }
  return runs.flatMap((run) => filled(run, bytesMax))
}

/**
 * All of a type become as few messages as can be; the order of a type's events stays. Deaths go first and what says
 * until when the host was watched last, so that nobody who was told so misses one.
 */
export function grouped(events: readonly SpooledEvent[], bytesMax: number): Message[] {
  return eventTypes.flatMap((type) =>
    filled(
      events.filter((event) => event.type === type),
      bytesMax,
    ),
  )
}

/**
 * What the server refused for its size, smaller: half as many events, or one with its arguments cut shorter. Undefined
 * if that cannot be.
 */
export function smaller({ events, body }: Message): Message[] | undefined {
  const [first, second] = events
  if (first === undefined) return undefined
  if (second !== undefined) {
    const half = Math.ceil(events.length / 2)
    return [messageOf(events.slice(0, half)), messageOf(events.slice(half))]
  }
  const shortened = shorten(first, Buffer.byteLength(body) - 1)
  return shortened && [messageOf([shortened])]
}

/** Events of one type, filled into messages. One that is too large alone is cut shorter where that helps. */
function filled(events: readonly SpooledEvent[], bytesMax: number): Message[] {
  const messages: SpooledEvent[][] = []
  let bytes = 0
  let lastName: string | undefined
  for (const event of events) {
    const fitting = event.bytes > bytesMax ? (shorten(event, bytesMax) ?? event) : event
    const last = messages.at(-1)
    const hostName = nameThen(fitting.json)
    bytes += fitting.bytes + 1
    const isRoom = last !== undefined && last.length < messageEventsMax && bytes <= bytesMax
    if (isRoom && hostName === lastName) last.push(fitting)
    else {
      messages.push([fitting])
      bytes = fitting.bytes
    }
    lastName = hostName
  }
  return messages.map(messageOf)
}

/** As one message; of one type, and of one name. */
export function messageOf(events: readonly SpooledEvent[]): Message {
  const { type = 'death', id = '', json = '' } = events[0] ?? {}
  const body = events.map((event) => event.json).join('\n')
  return { type, hostName: nameThen(json), id: messageId(id, events.length), body, events }
}

function shorten(event: SpooledEvent, bytesMax: number): SpooledEvent | undefined {
  const { json } = jsonWithin(JSON.parse(event.json) as Event, bytesMax)
  return json === undefined ? undefined : { ...event, json, bytes: Buffer.byteLength(json) }
}
