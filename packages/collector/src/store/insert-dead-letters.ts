import { createHash } from 'node:crypto'
import type { ClientBase } from 'pg'
import type { DeadLetter } from '../ingest/dead-letter.ts'
import { payloadBytesMax } from '../ingest/put-aside.ts'

/** One statement holds no more than these. */
const lettersMax = 500
const bytesMax = 4_194_304

/** Keeps what cannot be stored, each once; the ones that were new. */
export async function insertDeadLetters(client: ClientBase, letters: readonly DeadLetter[]): Promise<DeadLetter[]> {
  const byDigest = new Map(letters.map((letter) => [digestOf(letter).toString('hex'), letter]))
  const added: DeadLetter[] = []
  for (const chunk of chunksOf([...byDigest])) {
    const { rows } = await client.query<{ digest: string }>(sql, columnsOf(chunk))
    for (const { digest } of rows) {
      const letter = byDigest.get(digest)
      if (letter !== undefined) added.push(letter)
    }
  }
  return added
}

/** The same bytes on the same subject are the same dead letter. */
export function digestOf({ subject, payload }: DeadLetter): Buffer {
  return createHash('sha256').update(subject).update('\n').update(payload).digest()
}

type Numbered = [digest: string, letter: DeadLetter]

function* chunksOf(letters: readonly Numbered[]): Generator<Numbered[]> {
  let chunk: Numbered[] = []
  let bytes = 0
  for (const each of letters) {
    if (chunk.length >= lettersMax || (chunk.length > 0 && bytes + each[1].payload.length > bytesMax)) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(each)
    bytes += each[1].payload.length
  }
  if (chunk.length > 0) yield chunk
}

function columnsOf(chunk: readonly Numbered[]): unknown[][] {
  const of = (value: (letter: DeadLetter) => unknown) => chunk.map(([, letter]) => value(letter))
  return [
    chunk.map(([digest]) => digest),
    of(({ reason }) => reason),
    of(({ detail }) => storableText(detail)),
    of(({ subject }) => storableText(subject)),
    of(({ streamSeq }) => streamSeq),
    of(({ stamps }) => stamps[0]?.hostId ?? null),
    of(({ stamps }) => stamps[0]?.runId ?? null),
    of(({ stamps }) => stamps[0]?.seq ?? null),
    of(({ payload }) => payload.length),
    of(({ payload }) => Buffer.from(payload.subarray(0, payloadBytesMax))),
  ]
}

/** Postgres has no place for NUL in a text; half a surrogate pair becomes U+FFFD on its way. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\\0')
}

const sql = `
  insert into dead_letters (digest, reason, detail, subject, stream_seq, host_id, run_id, seq, payload_bytes, payload)
  select decode(digest, 'hex'), reason, detail, subject, stream_seq, host_id, run_id, seq, payload_bytes, payload
  from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::integer[],
    $10::bytea[]
  ) as come (digest, reason, detail, subject, stream_seq, host_id, run_id, seq, payload_bytes, payload)
  on conflict do nothing
  returning encode(digest, 'hex') as digest`
