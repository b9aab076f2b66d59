import { checksumOf } from './key.ts'
import { type Loss, readLoss } from './loss.ts'
import { readTally, type Tally } from './tally.ts'

/** The version of the format that is written; docs/spool.md describes it. */
export const formatVersion = 2

/** The key of the head: behind all events. */
export const headKey = 'head'

/** What the spool says of itself, written with every change and in the same batch: its CRC-32, a space, and JSON. */
export interface Head {
  /** The place of the next event. */
  readonly next: number
  /** Milliseconds that agents have run with this spool. */
  readonly ranMs: number
  /** What is in it. */
  readonly tally: Tally
  /** What was lost and is not yet told by a gap event in it. */
  readonly loss: Loss | undefined
}

export function writeHead({ next, ranMs, tally, loss }: Head): string {
  const json = JSON.stringify({ format: formatVersion, next, ranMs: Math.round(ranMs), tally, loss })
  return `${checksumOf(json)} ${json}`
}

/** `newer` where a newer version has written it; undefined where it is damaged. */
export function readHead(text: string): Head | 'newer' | undefined {
  const json = text.slice(checksumLength + 1)
  if (text.slice(0, checksumLength) !== checksumOf(json)) return undefined
  const value = parsed(json)
  if (typeof value?.format === 'number' && value.format > formatVersion) return 'newer'
  const tally = readTally(value?.tally)
  const { next, ranMs, loss } = value ?? {}
  if (tally === undefined || !isCount(next) || next < 1 || !isCount(ranMs)) return undefined
  return { next, ranMs, tally, loss: readLoss(loss) }
}

const checksumLength = 8

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
