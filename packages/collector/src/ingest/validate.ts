import { Event, eventVersion } from '@whokilled/shared/event'
import { parseSubject } from '@whokilled/shared/subjects'
import { z } from 'zod'
import type { DeadLetter, DeadLetterReason } from './dead-letter.ts'

/** A message of the stream: one or more events of one host and type, one a line. */
export interface RawMessage {
  readonly subject: string
  readonly streamSeq: number
  readonly data: Uint8Array
}

/** An event that may be stored. */
export interface ValidEvent {
  readonly event: Event
  /** Its JSON as it came: unknown fields and values are kept. */
  readonly json: string
  readonly subject: string
  readonly streamSeq: number
}

/** The events of a message that may be stored, and the others. One bad event does not spoil its neighbours. */
export function validateMessage(
  message: RawMessage,
  eventBytesMax: number,
): { events: ValidEvent[]; deadLetters: DeadLetter[] } {
  const events: ValidEvent[] = []
  const deadLetters: DeadLetter[] = []
  for (const line of linesOf(message.data)) {
    const result = validateLine(line, message, eventBytesMax)
    if ('reason' in result) deadLetters.push(result)
    else events.push(result)
  }
  return { events, deadLetters }
}

const lineFeed = 0x0a

function* linesOf(data: Uint8Array): Generator<Uint8Array> {
  let start = 0
  while (start < data.length) {
    const found = data.indexOf(lineFeed, start)
    const end = found === -1 ? data.length : found
    if (end > start) yield data.subarray(start, end)
    start = end + 1
  }
}

function validateLine(line: Uint8Array, message: RawMessage, eventBytesMax: number): ValidEvent | DeadLetter {
  const { subject, streamSeq } = message
  const named = parseSubject(subject)
  const refuse = (reason: DeadLetterReason, detail: string, value?: unknown): DeadLetter => ({
    reason,
    detail,
    subject,
    streamSeq,
    payload: line,
    stamp: named === undefined ? null : stampOf(value, named.hostName),
  })

  if (line.length > eventBytesMax)
    return refuse('too-large', `expected at most ${eventBytesMax} bytes, got ${line.length}`)
  const json = decode(line)
  if (json === undefined) return refuse('not-utf8', 'expected UTF-8')
  const value = parseJson(json)
  if (value !== undefined && isDeeperThan(value, levelsMax))
    return refuse('schema', `expected at most ${levelsMax} levels of nesting`)
  if (value === undefined) return refuse('not-json', `expected one JSON object a line, got ${json.slice(0, 40)}`)

  if (named === undefined) return refuse('subject', `expected whokilled.v1.<host>.<type>, got ${subject}`, value)
  const version = (value as { v?: unknown }).v
  if (version !== eventVersion)
    return refuse('version', `expected v ${eventVersion}, got ${JSON.stringify(version)}`, value)
  const parsed = Event.safeParse(value)
  if (!parsed.success) return refuse('schema', firstIssues(parsed.error), value)
  const event = parsed.data
  if (event.host.name !== named.hostName) {
    return refuse('host', `expected host ${named.hostName} as in the subject, got ${event.host.name}`, value)
  }
  if (event.type !== named.type)
    return refuse('type', `expected type ${named.type} as in the subject, got ${event.type}`, value)
  if (!idCarriesTime(event)) return refuse('id', `expected a UUIDv7 of ${event.at}, got ${event.id}`, value)
  return { event, json, subject, streamSeq }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(line: Uint8Array): string | undefined {
  try {
    return utf8.decode(line)
  } catch {
    return undefined
  }
}

function parseJson(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** JSON.stringify fails on a few thousand: whoever asked for such an event could not be answered. */
const levelsMax = 64

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1))
}

const Stamp = z.object({
  host: z.object({ id: z.string().min(1).max(128) }),
  agent: z.object({ runId: z.string().min(1).max(64), seq: z.int().positive() }),
})

function stampOf(value: unknown, hostName: string): DeadLetter['stamp'] {
  const parsed = Stamp.safeParse(value)
  if (!parsed.success || JSON.stringify(parsed.data).includes('\\u0000')) return null
  return { hostName, hostId: parsed.data.host.id, ...parsed.data.agent }
}

const issuesMax = 3

function firstIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, issuesMax)
    .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    .join('; ')
}

/** An event is found by its id in the partition of the id's time, so both must be the same millisecond, or nearly. */
function idCarriesTime(event: Event): boolean {
  if (event.id[14] !== '7') return false
  return Math.abs(idTimeMs(event.id) - Date.parse(event.at)) <= idTimeToleranceMs
}

/** Rounding may differ. */
export const idTimeToleranceMs = 1

/** Milliseconds since 1970 in a UUIDv7 (RFC 9562, 5.7). */
export function idTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}
