import { unescapeBytes } from './bytes.ts'
import { type FieldKind, recordTypes } from './fields.ts'
import type { KernelRecord } from './record.ts'

/** Why a line was rejected; each has a counter. */
export type RejectReason =
  | 'torn'
  | 'too-long'
  | 'bad-header'
  | 'bad-field'
  | 'bad-value'
  | 'duplicate-field'
  | 'missing-field'

export type Parsed = { readonly record: KernelRecord } | { readonly rejected: RejectReason }

/** The longest line of the protocol, without its LF. */
export const lineBytesMax = 4_000

const fieldsMax = 64

/**
 * Parses one line of the protocol (docs/line-protocol.md), a byte string without its LF.
 * Never throws: whatever the bytes are, the answer is a record or the reason why there is none.
 */
export function parseRecord(line: string): Parsed {
  if (line.length > lineBytesMax) return { rejected: 'too-long' }
  const parts = line.split('\t')
  const [type = '', seqText = '', timeText = ''] = parts
  if (parts.at(-1) !== `#${seqText}` || parts.length < 4) return { rejected: 'torn' }
  const seq = intOf(seqText)
  const time = nanosecondsOf(timeText)
  if (!/^[a-z][a-z-]{0,31}$/.test(type) || seq === undefined || seq < 1 || time === undefined) {
    return { rejected: 'bad-header' }
  }
  const fields = fieldsOf(parts, recordTypes.get(type)?.fields)
  if (typeof fields === 'string') return { rejected: fields }
  const known = recordTypes.get(type)
  if (known?.required.some((key) => !(key in fields))) return { rejected: 'missing-field' }
  const record = known === undefined ? { type: 'other', name: type, seq, time } : { type, seq, time }
  return { record: { ...record, ...fields } as KernelRecord }
}

type Fields = Record<string, number | bigint | string | Record<string, string>>

function fieldsOf(parts: string[], kinds: Record<string, FieldKind> = {}): Fields | RejectReason {
  if (parts.length - 4 > fieldsMax) return 'bad-field'
  const fields: Fields = {}
  const extra: Record<string, string> = {}
  for (const part of parts.slice(3, -1)) {
    const equals = part.indexOf('=')
    const key = part.slice(0, equals)
    if (equals < 1 || !/^[a-z][a-z0-9]{0,15}$/.test(key)) return 'bad-field'
    if (Object.hasOwn(fields, key) || Object.hasOwn(extra, key)) return 'duplicate-field'
    const kind = Object.hasOwn(kinds, key) ? kinds[key] : undefined
    const value = readValue(part.slice(equals + 1), kind ?? 'bytes')
    if (value === undefined) return 'bad-value'
    if (kind === undefined) extra[key] = value as string
    else fields[key] = value
  }
  if (Object.keys(extra).length > 0) fields.extra = extra
  return fields
}

function readValue(text: string, kind: FieldKind): number | bigint | string | undefined {
  if (kind === 'int') return intOf(text)
  if (kind === 'ns') return nanosecondsOf(text)
  return unescapeBytes(text)
}

function intOf(text: string): number | undefined {
  return /^(?:0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined
}

function nanosecondsOf(text: string): bigint | undefined {
  return /^(?:0|[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined
}
