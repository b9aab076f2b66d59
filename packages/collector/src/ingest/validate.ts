import { Event, eventVersion } from '@whokilled/shared/event'
import { parseSubject } from '@whokilled/shared/subjects'
import { z } from 'zod'
import { columnProblem } from './column-problem.ts'
import type { DeadLetter, DeadLetterReason, Stamp } from './dead-letter.ts'
import { isStorableText, jsonProblem } from './json-problem.ts'
import { acknowledged } from './pub-ack.ts'
import { PutAside } from './put-aside.ts'

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
): { events: ValidEvent[]; deadLetters: readonly DeadLetter[] } {
  const events: ValidEvent[] = []
  const aside = new PutAside({ subject: message.subject, streamSeq: message.streamSeq })
  for (const line of linesOf(message.data)) {
    if (aside.isRubbish(line)) {
      aside.addRubbish(line)
      continue
    }
    const result = validateLine(line, message, eventBytesMax)
    if ('reason' in result) aside.add(result)
    else events.push(result)
  }
  return { events, deadLetters: aside.end() }
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
    detail: detail.length > detailLengthMax ? `${detail.slice(0, detailLengthMax)}…` : detail,
    subject,
    streamSeq,
    payload: line,
    eventCount: 1,
    stamps: named === undefined ? [] : stampsOf(value, named.hostName),
  })

  if (line.length > eventBytesMax)
    return refuse('too-large', `expected at most ${eventBytesMax} bytes, got ${line.length}`)
  const json = decode(line)
  if (json === undefined) return refuse('not-utf8', 'expected UTF-8')
  const value = parseJson(json)
  if (value === undefined) return refuse('not-json', `expected one JSON object a line, got ${json.slice(0, 40)}`)
  const problem = jsonProblem(value, json)
  if (problem !== undefined) return refuse(problem.reason, problem.detail, problem.isReadable ? value : undefined)

  if (named === undefined) return refuse('subject', `expected whokilled.v1.<host>.<type>, got ${subject}`, value)
  const ofMessage = acknowledged(value)
  if (ofMessage !== undefined) {
    return refuse(
      'pub-ack',
      `expected an event, got NATS' acknowledgement of message ${ofMessage} of the stream: whoever published that had the answer put here, it does not come from ${named.hostName}`,
    )
  }
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
  const unfit = columnProblem(event)
  if (unfit !== undefined) return refuse('not-storable', unfit, value)
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

const StampShape = z.object({
  host: z.object({ id: z.string().min(1).max(128) }),
  agent: z.object({ runId: z.string().min(1).max(64), seq: z.int().positive() }),
})

function stampsOf(value: unknown, hostName: string): Stamp[] {
  const parsed = StampShape.safeParse(value)
  if (!parsed.success) return []
  const stamp = { hostName, hostId: parsed.data.host.id, ...parsed.data.agent }
  return isStorableStamp(stamp) ? [stamp] : []
}

/** False: it has a text that Postgres has no place for. */
export function isStorableStamp({ hostName, hostId, runId }: Stamp): boolean {
  return [hostName, hostId, runId].every(isStorableText)
}

const detailLengthMax = 500
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
