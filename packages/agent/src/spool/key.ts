import { crc32 } from 'node:zlib'
import type { Worth } from './worth.ts'

/** What the key of an event says: the value need not be read to count or to drop it. */
export interface EventKey {
  /** Its place in the spool, from 1. */
  readonly seq: number
  readonly worth: Worth
  /** Length of the value. */
  readonly bytes: number
  /** CRC-32 of the place, the worth and the value: they belong together. */
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

/** Bytes of all these. */
export function bytesOf(events: readonly { readonly bytes: number }[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** The checksum of an event at a place. */
export function eventChecksum(seq: number, worth: Worth, value: string): string {
  return hex(crc32(value, crc32(`${seq}${worth}`)))
}

/** CRC-32 of a text. */
export function checksumOf(text: string): string {
  return hex(crc32(text))
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}

const digits = 16

/** Places up to 10^15 are exact numbers; the spool never comes that far. */
const pattern = /^e(0\d{15})([wstdg])([0-9a-f]{8})(\d{1,9})$/
