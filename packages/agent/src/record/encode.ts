import { escapeBytes } from './bytes.ts'
import type { KernelRecord } from './record.ts'

/** Writes a record as one line of the protocol (docs/line-protocol.md), without LF. */
export function encodeRecord(record: KernelRecord): string {
  const { type, seq, time, extra, ...fields } = record
  const { name = type, ...known } = fields as { name?: string } & Record<string, number | bigint | string | undefined>
  const written = [...Object.entries(known), ...Object.entries(extra ?? {})]
    .filter((field): field is [string, number | bigint | string] => field[1] !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? escapeBytes(value) : value}`)
  return [name, seq, time, ...written, `#${seq}`].join('\t')
}
