import { timestamp } from '@whokilled/shared/vocabulary'
import { z } from 'zod'

/** The last row of a page: the next page begins after it. */
export interface Cursor {
  readonly at: string
  /** What tells apart rows of the same time. */
  readonly id: string
}

/** The ids of events. */
export const eventId = z.uuid()
/** The digests of dead letters, hexadecimal. */
export const letterDigest = z.string().regex(/^[0-9a-f]{64}$/)

/** Opaque to whoever gets it. */
export function encodeCursor({ at, id }: Cursor): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url')
}

/** undefined if it is none of ours, or of rows with other ids. */
export function decodeCursor(text: string, id: z.ZodType<string>): Cursor | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
  const parsed = z.tuple([timestamp, id]).safeParse(value)
  return parsed.success ? { at: parsed.data[0], id: parsed.data[1] } : undefined
}
