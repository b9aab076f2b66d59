import type { DeathEvent } from '@whokilled/shared/event'
import { hostOrderOf } from '@whokilled/shared/host-order'
import type { DeathsPage } from '@whokilled/shared/http-api'
import type pg from 'pg'
import { type Cursor, encodeCursor } from './cursor.ts'
import { hostCondition, serviceCondition } from './names.ts'
import { cutPage, type PageRow, pageBytesMax, pageOf } from './page.ts'
import { iso } from './timestamps.ts'

/** Which deaths; what is undefined or null does not matter. */
export interface DeathsFilter {
  readonly service: string | undefined
  readonly host: string | undefined
  readonly cause: string | undefined
  readonly since: string | null
  readonly until: string | null
  readonly after: Cursor | null
  readonly limit: number
}

/** Newest first, of at most 8 MiB. Deaths that are stored meanwhile do not shift the pages. */
export async function findDeaths(database: pg.Pool, filter: DeathsFilter): Promise<DeathsPage> {
  const service = serviceCondition(filter.service)
  const host = hostCondition(filter.host)
  const { rows } = await database.query<PageRow>(sql, [
    service.exact,
    service.like,
    host.exact,
    host.like,
    filter.cause ?? null,
    filter.since,
    filter.until,
    filter.after?.at ?? null,
    filter.after?.id ?? null,
    filter.limit,
    pageBytesMax,
  ])
  const { page, next } = cutPage(rows)
  const deaths = page.map(({ body }) => JSON.parse(body) as DeathEvent)
  return { deaths, nextCursor: next === null ? null : encodeCursor(next), order: hostOrderOf(deaths) }
}

const rows = `
  select at, id, event
  from deaths
  where ($1::text[] is null or service_name = any ($1))
    and ($2::text is null or service_name like $2)
    and ($3::text[] is null or host_name = any ($3))
    and ($4::text is null or host_name like $4)
    and ($5::text is null or cause = $5)
    and ($6::timestamptz is null or at >= $6)
    and ($7::timestamptz is null or at < $7)
    and ($8::timestamptz is null or (at <= $8 and (at, id) < ($8, $9::uuid)))
  order by at desc, id desc
  limit $10 + 1`

const sql = pageOf({
  rows,
  order: 'page.at desc, page.id desc',
  columns: `${iso('at')} as at, id::text as id`,
  body: 'event::text',
  limit: '$10',
  bytesMax: '$11',
})
