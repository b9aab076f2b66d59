import { crc32 } from 'node:zlib'
import type { Worth } from './worth.ts'

/** What the key of an event says: the value need not be read to count or to drop it. */
export interface EventKey {
  /** Its place in the spool, from 1. */
  readonly seq: number
  readonly worth: Worth
  /** Length of the value. */
  readonly bytes: number
  /** CRC-32 of the value. */
  readonly checksum: string
}

/**
 * `e`, the place in 16 decimal digits, the worth, the checksum in 8 hexadecimal digits, the length in decimal:
 * `e0000000000000042s5d2c81f0612`. The order of the keys is the order of the events.
 */
export function keyOf({ seq, worth, bytes, checksum }: EventKey): string {
  return `${keyFrom(seq)}${worth}${checksum}${bytes}`
}

/** Before all keys of this place, behind all of the ones before it. */
export function keyFrom(seq: number): string {
  return `e${seq.toString().padStart(digits, '0')}`
}

/** Undefined for what is no key of an event. */
export function parseKey(key: string): EventKey | undefined {
  const [, seq, worth, checksum = '', bytes] = pattern.exec(key) ?? []
  if (seq === undefined) return undefined
  return { seq: Number(seq), worth: worth as Worth, checksum, bytes: Number(bytes) }
}

export function checksumOf(value: string): string {
  return crc32(value).toString(16).padStart(8, '0')
}

const digits = 16

/** Places up to 10^15 are exact numbers; the spool never comes that far. */
const pattern = /^e(0\d{15})([wstdg])([0-9a-f]{8})(\d{1,9})$/
