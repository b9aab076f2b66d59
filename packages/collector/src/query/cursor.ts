import { timestamp } from '@whokilled/shared/vocabulary'
import { z } from 'zod'

/** The last row of a page: the next page begins after it. */
export interface Cursor {
  readonly at: string
  readonly id: string
}

const Content = z.tuple([timestamp, z.uuid()])

/** Opaque to whoever gets it. */
export function encodeCursor({ at, id }: Cursor): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url')
}

/** undefined if it is none of ours. */
export function decodeCursor(text: string): Cursor | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
  const parsed = Content.safeParse(value)
  return parsed.success ? { at: parsed.data[0], id: parsed.data[1] } : undefined
}
