import type { DeadLetter } from '@whokilled/shared/dead-letters-api'
import { parseSubject } from '@whokilled/shared/subjects'
import type pg from 'pg'
import { iso } from '../query/timestamps.ts'
import type { LetterCursor } from './cursor.ts'
import { isSelected, type Selection, selected } from './selection.ts'

/** A page of dead letters. */
export interface LettersPage {
  readonly letters: DeadLetter[]
  /** null at the end. */
  readonly next: LetterCursor | null
}

/** Dead letters, newest first, each with at most `payloadBytes` of its bytes. */
export async function listDeadLetters(
  database: pg.Pool,
  selection: Selection,
  page: { readonly limit: number; readonly payloadBytes: number; readonly after: LetterCursor | null },
): Promise<LettersPage> {
  const { limit, payloadBytes, after } = page
  const { rows } = await database.query<Row>(sql, [
    ...selected(selection),
    after?.receivedAt ?? null,
    after?.digest ?? null,
    payloadBytes,
    limit + 1,
  ])
  const letters = rows.slice(0, limit).map(({ payload, ...row }) => ({
    ...row,
    host: parseSubject(row.subject)?.hostName ?? null,
    seq: row.seq === null ? null : Number(row.seq),
    streamSeq: Number(row.streamSeq),
    ...(payloadBytes === 0 ? {} : { payload: payload.toString('base64') }),
  }))
  const last = letters.at(-1)
  return { letters, next: rows.length > limit && last !== undefined ? last : null }
}

type Row = Omit<DeadLetter, 'host' | 'seq' | 'streamSeq' | 'payload'> & {
  readonly seq: string | null
  readonly streamSeq: string
  readonly payload: Buffer
}

const sql = `
  select encode(digest, 'hex') as digest, ${iso('received_at')} as "receivedAt", reason, detail, subject,
    run_id as "runId", seq, stream_seq as "streamSeq", payload_bytes as "payloadBytes",
    octet_length(payload) < payload_bytes as "isCut", substring(payload for $7::integer) as payload
  from dead_letters
  where ${isSelected}
    and ($5::timestamptz is null or (received_at, digest) < ($5, decode($6, 'hex')))
  order by received_at desc, digest desc
  limit $8`
