import { unescapeBytes } from './bytes.ts'
import { type FieldKind, recordTypes } from './fields.ts'
import { ownCopy } from './own-copy.ts'
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
  const known = recordTypes.get(type)
  const record: Fields = known === undefined ? { type: 'other', seq, time, name: type } : { type, seq, time }
  const rejected = readFields(parts, known?.fields ?? {}, record)
  if (rejected !== undefined) return { rejected }
  if (known?.required.some((key) => record[key] === undefined)) return { rejected: 'missing-field' }
  return { record: record as unknown as KernelRecord }
}

type Fields = Record<string, number | bigint | string | Record<string, string>>

/** Puts the fields of a line into the record; answers why if one of them is wrong. */
function readFields(parts: string[], kinds: Record<string, FieldKind>, record: Fields): RejectReason | undefined {
  if (parts.length - 4 > fieldsMax) return 'bad-field'
  let extra: Record<string, string> | undefined
  for (let index = 3; index < parts.length - 1; index += 1) {
    const part = parts[index] ?? ''
    const equals = part.indexOf('=')
    if (equals < 1) return 'bad-field'
    const key = part.slice(0, equals)
    const written = part.slice(equals + 1)
    if (Object.hasOwn(kinds, key)) {
      if (record[key] !== undefined) return 'duplicate-field'
      const value = readValue(written, kinds[key] ?? 'bytes')
      if (value === undefined) return 'bad-value'
      record[key] = value
    } else {
      if (!/^[a-z][a-z0-9]{0,15}$/.test(key)) return 'bad-field'
      extra ??= {}
      if (Object.hasOwn(extra, key)) return 'duplicate-field'
      const value = unescapeBytes(written)
      if (value === undefined) return 'bad-value'
      extra[key] = value
    }
  }
  if (extra !== undefined) record.extra = extra
  return undefined
}

function readValue(text: string, kind: FieldKind): number | bigint | string | undefined {
  if (kind === 'int') return intOf(text)
  if (kind === 'ns') return nanosecondsOf(text)
  const bytes = unescapeBytes(text)
  return bytes === undefined ? undefined : ownCopy(bytes)
}

function intOf(text: string): number | undefined {
  return /^(?:0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined
}

function nanosecondsOf(text: string): bigint | undefined {
  return /^(?:0|[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined
}
