import { timestamp } from '@whokilled/shared/vocabulary'
import { z } from 'zod'

/** The dead letter after which to go on. */
export interface LetterCursor {
  readonly receivedAt: string
  /** Hexadecimal. */
  readonly digest: string
}

const Content = z.tuple([timestamp, z.string().regex(/^[0-9a-f]{64}$/)])

/** Opaque to whoever gets it. */
export function encodeLetterCursor({ receivedAt, digest }: LetterCursor): string {
  return Buffer.from(JSON.stringify([receivedAt, digest])).toString('base64url')
}

/** undefined if it is none of ours. */
export function decodeLetterCursor(text: string): LetterCursor | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
  const parsed = Content.safeParse(value)
  return parsed.success ? { receivedAt: parsed.data[0], digest: parsed.data[1] } : undefined
}
