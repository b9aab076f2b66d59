import type { EventType } from '@whokilled/shared/event'

/** Why an event that was decided was not published. */
export type LossCause = keyof typeof causeTexts

/** Events that were lost on this host, until a gap event tells of them. */
export interface Loss {
  /** Events, and what events that were lost with them had to tell as lost. */
  readonly count: number
  /** When the first and the last of them happened; timestamps. */
  readonly since: string
  readonly until: string
  /** How many for each cause and type: `{ "limit signal": 120 }`. */
  readonly parts: Readonly<Record<string, number>>
}

export interface LostEvents {
  readonly cause: LossCause
  /** `unknown` where nobody can tell how many of what. */
  readonly type: EventType | 'unknown'
  readonly events: number
  /** Where they had to tell of losses themselves, more than `events`. */
  readonly count?: number
  readonly since: string
  readonly until?: string
}

export function lossOf({ cause, type, events, count = events, since, until = since }: LostEvents): Loss {
  return { count, since, until, parts: { [`${cause} ${type}`]: events } }
}

/** Both together. */
export function addLoss(one: Loss | undefined, other: Loss | undefined): Loss | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const parts: Record<string, number> = { ...one.parts }
  for (const [part, events] of Object.entries(other.parts)) parts[part] = (parts[part] ?? 0) + events
  return {
    count: one.count + other.count,
    since: earlier(one.since, other.since) ? one.since : other.since,
    until: earlier(one.until, other.until) ? other.until : one.until,
    parts,
  }
}

/** What was lost and why, for people: `…: 120 signals and 2 deaths were dropped at the limit of the spool`. */
export function lossText({ parts }: Loss): string {
  const byCause = new Map<LossCause, string[]>()
  for (const [part, events] of Object.entries(parts)) {
    const [cause, type] = part.split(' ') as [LossCause, EventType | 'unknown']
    if (!Object.hasOwn(causeTexts, cause)) continue
    byCause.set(cause, [...(byCause.get(cause) ?? []), countedText(events, type)])
  }
  const told = Array.from(byCause, ([cause, counted]) => `${listed(counted)} ${causeTexts[cause]}`)
  return ['events could not be kept on disk', told.join('; ')].filter((text) => text !== '').join(': ')
}

/** What was read from a file; undefined if it is no loss. */
export function readLoss(value: unknown): Loss | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { count, since, until, parts } = value as Record<string, unknown>
  const isLoss =
    Number.isSafeInteger(count) &&
    isTimestamp(since) &&
    isTimestamp(until) &&
    typeof parts === 'object' &&
    parts !== null
  if (!isLoss || !Object.values(parts).every((events) => Number.isSafeInteger(events))) return undefined
  return { count: count as number, since, until, parts: parts as Record<string, number> }
}

/** Whether a text is a time in the form of the events. */
export function isTimestamp(value: unknown): value is string {
  return typeof value === 'string' && timestamp.test(value) && !Number.isNaN(Date.parse(value))
}

const causeTexts = {
  limit: 'dropped at the limit of the spool',
  age: 'dropped because of their age',
  disk: 'refused by the disk',
  'too-large': 'too large',
  damaged: 'damaged on disk',
  refused: 'refused by NATS because of their size',
}

const typeTexts: Readonly<Record<EventType, string>> = {
  death: 'death',
  signal: 'signal',
  session: 'session',
  coverage: 'coverage event',
}

function countedText(events: number, type: EventType | 'unknown'): string {
  if (type === 'unknown') return 'an unknown number of events'
  return `${events} ${typeTexts[type] ?? 'event'}${events === 1 ? '' : 's'}`
}

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? (texts[0] ?? '') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

function earlier(one: string, other: string): boolean {
  return Date.parse(one) <= Date.parse(other)
}
