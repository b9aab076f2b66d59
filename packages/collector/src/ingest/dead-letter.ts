/** Why an event was put aside. */
export type DeadLetterReason =
  /** The subject is not `whokilled.v1.<host>.<type>`. */
  | 'subject'
  /** Larger than the setting eventBytesMax. */
  | 'too-large'
  | 'not-utf8'
  | 'not-json'
  /** A version of the event format that this collector does not know. */
  | 'version'
  /** Not the shape of an event of its type. */
  | 'schema'
  /** Says it is from another host than the subject. */
  | 'host'
  /** Is of another type than the subject. */
  | 'type'
  /** Its id is not a UUIDv7 of its time. */
  | 'id'
  /** Postgres has no place for it: \u0000 or half a surrogate pair in a text, a number out of range. */
  | 'not-storable'
  /** Several of a message that held too many bad ones, one a line. */
  | 'too-many'

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
