import { z } from 'zod'
import { timeExpression } from './http-api.ts'
import { timestamp } from './vocabulary.ts'

/** Why an event was put aside. */
export const deadLetterReasons = [
  /** The subject is not `whokilled.v1.<host>.<type>`. */
  'subject',
  /** Larger than the setting eventBytesMax. */
  'too-large',
  'not-utf8',
  'not-json',
  /** A version of the event format that this collector does not know. */
  'version',
  /** Not the shape of an event of its type. */
  'schema',
  /** Says it is from another host than the subject. */
  'host',
  /** Is of another type than the subject. */
  'type',
  /** Its id is not a UUIDv7 of its time. */
  'id',
  /** NATS' answer to somebody who published, and named this subject for it; it does not come from the subject's host. */
  'pub-ack',
  /** Postgres has no place for it: \u0000 or half a surrogate pair in a text, a number, a time or a name out of range. */
  'not-storable',
  /** Several of a message that held too many bad ones, one a line. */
  'too-many',
] as const

/** Which dead letters; those for which all holds that is given. */
const selection = {
  /** The first digits, at least four. */
  digest: z
    .string()
    .regex(/^[0-9a-f]{4,64}$/, 'expected 4 to 64 hexadecimal digits, in small letters')
    .optional(),
  reason: z.enum(deadLetterReasons).optional(),
  /** As its subject names it; `web-3`, or a pattern with `*`. */
  host: z.string().min(1).max(255).optional(),
  /** Put aside before this time. */
  olderThan: timeExpression.optional(),
}

/** Bytes of dead letters in one answer. */
export const payloadBytesMax = 4_194_304

export const DeadLettersQuery = z.object({
  ...selection,
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
  /** How many bytes of each to show. Times `limit` at most 4 MiB. */
  payloadBytes: z.coerce.number().int().min(0).max(1_048_576).default(0),
  cursor: z.string().max(512).optional(),
})

export const DeadLetter = z.object({
  /** SHA-256 of subject, LF and payload, hexadecimal. */
  digest: z.string(),
  receivedAt: timestamp,
  reason: z.string(),
  /** What was expected and what came. */
  detail: z.string(),
  subject: z.string(),
  /** As its subject names it; null if it is none of ours. */
  host: z.string().nullable(),
  runId: z.string().nullable(),
  seq: z.int().nullable(),
  streamSeq: z.int(),
  payloadBytes: z.int(),
  /** Only its first MiB was kept: it cannot be retried. */
  isCut: z.boolean(),
  /** Its first bytes, in base64, if they were asked for. */
  payload: z.string().optional(),
})
export type DeadLetter = z.infer<typeof DeadLetter>

/** Newest first; `nextCursor` continues, null at the end. */
export const DeadLettersPage = z.object({ deadLetters: z.array(DeadLetter), nextCursor: z.string().nullable() })
export type DeadLettersPage = z.infer<typeof DeadLettersPage>

/** Something has to be chosen: `all` stands for every one. */
export const DeadLettersOrder = z
  .strictObject({ ...selection, all: z.literal(true).optional(), cursor: z.string().max(512).optional() })
  .refine(({ cursor: _, ...chosen }) => Object.values(chosen).some((value) => value !== undefined), {
    message: 'expected digest, reason, host, olderThan, or all: true',
    path: ['all'],
  })

/** What became of the dead letters so far; `nextCursor` goes on, null when all were tried. */
export const RetryAnswer = z.object({
  /** Events stored for the first time. */
  stored: z.int(),
  /** Events that were stored already. */
  duplicates: z.int(),
  /** Dead letters that stay, with what is wrong with them now. */
  failed: z.int(),
  /** Dead letters of which only the first MiB was kept. */
  cut: z.int(),
  nextCursor: z.string().nullable(),
})
export type RetryAnswer = z.infer<typeof RetryAnswer>

/** `isComplete` false: there are more; ask again. */
export const DropAnswer = z.object({ dropped: z.int(), isComplete: z.boolean() })
