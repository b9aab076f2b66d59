import type { ClientBase } from 'pg'

/** Pieces of time kept of one run's watching, and how many of the newest stay when there are more. */
const piecesMax = 10_000
const piecesLeft = 9_000
/** Of a piece, in a multirange of Postgres. */
const pieceBytes = 21

/** SQL: true if what a run watched, as it is written, has more pieces than are kept. To count them takes far longer. */
export const isFragmented = `pg_column_size(r.watched) > ${piecesMax * pieceBytes}`

/**
 * Drops the oldest pieces of what a run watched where they are too many: those times are told as not watched. Each
 * piece is an interruption of the watching, of which an agent's run has a few.
 */
export async function trimWatched(client: ClientBase, names: readonly string[]): Promise<void> {
  await client.query(sql, [names, piecesLeft])
}

const sql = `
  update runs as r set watched = (
    select range_agg(piece)
    from (select piece from unnest(r.watched) as piece order by piece desc limit $2) as newest
  )
  where host_name = any ($1) and (select count(*) from unnest(r.watched)) > $2`
