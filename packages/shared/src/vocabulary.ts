import { z } from 'zod'

/**
 * An enumeration that newer programs may extend: known values complete in the editor,
 * unknown ones pass and are stored as they came.
 */
export function openEnum<const V extends readonly [string, ...string[]]>(values: V) {
  return z
    .string()
    .min(1)
    .max(64)
    .meta({ examples: [...values] }) as z.ZodType<V[number] | (string & Record<never, never>)>
}

/** ISO 8601 in UTC with three to nine digits of a second: `2026-11-22T19:40:42.123456Z`. */
export const timestamp = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/, 'expected ISO 8601 in UTC with fractions of a second')
  .refine((value) => !Number.isNaN(Date.parse(value)), 'expected a date that exists')

/** Writes nanoseconds since 1970 as a timestamp with microseconds. */
export function timestampOf(realNs: bigint): string {
  const ms = realNs / 1_000_000n
  const us = (realNs / 1_000n) % 1_000n
  return `${new Date(Number(ms)).toISOString().slice(0, -1)}${us.toString().padStart(3, '0')}Z`
}

/** Nanoseconds since 1970 of a timestamp. */
export function realOf(timestamp: string): bigint {
  const fraction = /\.(\d+)Z$/.exec(timestamp)?.[1] ?? ''
  return BigInt(Date.parse(`${timestamp.slice(0, 19)}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

/** Milliseconds between two timestamps, with the microseconds as a fraction. */
export function millisecondsBetween(from: string, to: string): number {
  return (microseconds(to) - microseconds(from)) / 1_000
}

function microseconds(at: string): number {
  const fraction = /\.(\d+)Z$/.exec(at)?.[1] ?? ''
  return Date.parse(`${at.slice(0, 19)}Z`) * 1_000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}
