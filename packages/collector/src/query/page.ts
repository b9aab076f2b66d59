import type { Cursor } from './cursor.ts'

/** What an answer holds at most of events, or of dead letters: their bytes as JSON. */
export const pageBytesMax = 8_388_608

/** A row of a page: `body` is null where there is no room for it, and the next page begins before it. */
export interface PageRow extends Cursor {
  readonly body: string | null
}

/**
 * SQL for a page: as many of `rows` as there is room for, and at least one; then one without its body if there are more.
 * `body` is evaluated for one row after the other, and its bytes are added up by the database, which sends no more.
 */
export function pageOf(page: {
  /** A statement that gives at most one row more than `limit`, in the order of `order`. */
  readonly rows: string
  readonly order: string
  /** Of `rows`: at least `at` and `id` as a cursor has them. */
  readonly columns: string
  /** Of `rows`: an expression that gives text. */
  readonly body: string
  /** Parameters of the statement, such as `$8`. */
  readonly limit: string
  readonly bytesMax: string
}): string {
  const { rows, order, columns, body, limit, bytesMax } = page
  // `offset 0` keeps the text from being made twice, for its length and for itself.
  return `
  select ${columns}, case when place <= ${limit} and (place = 1 or bytes <= ${bytesMax}) then body end as body
  from (
    select *, row_number() over so_far as place, sum(octet_length(body)) over so_far as bytes
    from (select *, ${body} as body from (${rows}) as chosen offset 0) as page
    window so_far as (order by ${order} rows unbounded preceding)
  ) as page
  where place <= 2 or bytes - octet_length(body) <= ${bytesMax}
  order by ${order}`
}

/** The rows of a page that have a body, and where the next page begins; null if there is none. */
export function cutPage<R extends PageRow>(
  rows: readonly R[],
): { page: (R & { body: string })[]; next: Cursor | null } {
  const page = rows.filter((row): row is R & { body: string } => row.body !== null)
  const last = page.at(-1)
  return { page, next: rows.length > page.length && last !== undefined ? { at: last.at, id: last.id } : null }
}
