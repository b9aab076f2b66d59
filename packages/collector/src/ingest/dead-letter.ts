import type { deadLetterReasons } from '@whokilled/shared/dead-letters-api'

/** Why an event was put aside. */
export type DeadLetterReason = (typeof deadLetterReasons)[number]

/** Who sent an event, by its subject and as far as it could be read: its number is not a hole. */
export interface Stamp {
  readonly hostName: string
  readonly hostId: string
  readonly runId: string
  readonly seq: number
}

/** An event that cannot be stored, or several, with the bytes as they came. */
export interface DeadLetter {
  readonly reason: DeadLetterReason
  /** What was expected and what came. */
  readonly detail: string
  readonly subject: string
  readonly streamSeq: number
  readonly payload: Uint8Array
  /** How many events it holds: one, unless its reason is `too-many`. */
  readonly eventCount: number
  /** Those of its events whose stamp could be read. */
  readonly stamps: readonly Stamp[]
}
