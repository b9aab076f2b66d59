import { createHash } from 'node:crypto'
import type { ClientBase } from 'pg'
import type { DeadLetter } from '../ingest/dead-letter.ts'

/** What is kept of one; NATS' own default limit of a message. */
const payloadBytesMax = 1_048_576

/** Keeps what cannot be stored, each once; the ones that were new. */
export async function insertDeadLetters(client: ClientBase, letters: readonly DeadLetter[]): Promise<DeadLetter[]> {
  const added: DeadLetter[] = []
  // Rare, and each may be large: one statement each.
  for (const letter of letters) {
    const { rowCount } = await client.query(sql, [
      createHash('sha256').update(letter.subject).update('\n').update(letter.payload).digest(),
      letter.reason,
      withoutNul(letter.detail),
      withoutNul(letter.subject),
      letter.streamSeq,
      letter.stamp?.hostId ?? null,
      letter.stamp?.runId ?? null,
      letter.stamp?.seq ?? null,
      letter.payload.length,
      letter.payload.subarray(0, payloadBytesMax),
    ])
    if (rowCount === 1) added.push(letter)
  }
  return added
}

/** Postgres has no place for it in a text. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '\\0')
}

const sql = `
  insert into dead_letters (digest, reason, detail, subject, stream_seq, host_id, run_id, seq, payload_bytes, payload)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  on conflict do nothing`
