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
  /** Postgres refused it: \u0000 in a text, a number out of range. */
  | 'not-storable'

/** An event that cannot be stored, with the bytes as they came. */
export interface DeadLetter {
  readonly reason: DeadLetterReason
  /** What was expected and what came. */
  readonly detail: string
  readonly subject: string
  readonly streamSeq: number
  readonly payload: Uint8Array
  /** Who sent it, by its subject and as far as it could be read: its number is not a hole. */
  readonly stamp: {
    readonly hostName: string
    readonly hostId: string
    readonly runId: string
    readonly seq: number
  } | null
}
