import type { DeadLetter } from '@whokilled/shared/dead-letters-api'
import { parseSubject } from '@whokilled/shared/subjects'
import type pg from 'pg'
import type { Cursor } from '../query/cursor.ts'
import { cutPage, type PageRow, pageBytesMax, pageOf } from '../query/page.ts'
import { iso } from '../query/timestamps.ts'
import { isSelected, type Selection, selected } from './selection.ts'

/** A page of dead letters. */
export interface LettersPage {
  readonly letters: DeadLetter[]
  /** null at the end. */
  readonly next: Cursor | null
}

/** Dead letters, newest first, each with at most `payloadBytes` of its bytes; of at most 8 MiB. */
export async function listDeadLetters(
  database: pg.Pool,
  selection: Selection,
  asked: { readonly limit: number; readonly payloadBytes: number; readonly after: Cursor | null },
): Promise<LettersPage> {
  const { limit, payloadBytes, after } = asked
  const { rows } = await database.query<PageRow>(sql, [
    ...selected(selection),
    after?.at ?? null,
    after?.id ?? null,
    payloadBytes,
    limit,
    pageBytesMax,
  ])
  const { page, next } = cutPage(rows)
  const letters = page.map(({ body }) => {
    const { payload, ...letter } = JSON.parse(body) as Body
    return {
      ...letter,
      host: parseSubject(letter.subject)?.hostName ?? null,
      ...(payloadBytes === 0 ? {} : { payload: payload.replaceAll('\n', '') }),
    }
  })
  return { letters, next }
}

type Body = Omit<DeadLetter, 'host' | 'payload'> & { readonly payload: string }

const rows = `
  select * from dead_letters
  where ${isSelected}
    and ($5::timestamptz is null or (received_at, digest) < ($5, decode($6, 'hex')))
  order by received_at desc, digest desc
  limit $8 + 1`

// Postgres breaks base64 into lines (RFC 2045).
const body = `json_build_object(
      'digest', encode(digest, 'hex'), 'receivedAt', ${iso('received_at')}, 'reason', reason, 'detail', detail,
      'subject', subject, 'runId', run_id, 'seq', seq, 'streamSeq', stream_seq, 'payloadBytes', payload_bytes,
      'isCut', octet_length(payload) < payload_bytes,
      'payload', encode(substring(payload for $7::integer), 'base64')
    )::text`

const sql = pageOf({
  rows,
  order: 'received_at desc, digest desc',
  columns: `${iso('received_at')} as at, encode(digest, 'hex') as id`,
  body,
  limit: '$8',
  bytesMax: '$9',
})
