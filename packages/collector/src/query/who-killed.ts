import type { DeathEvent } from '@whokilled/shared/event'
import { hostOrderOf } from '@whokilled/shared/host-order'
import type { WhoKilledAnswer } from '@whokilled/shared/http-api'
import type pg from 'pg'
import { findCoverage } from './coverage.ts'
import { hostCondition, serviceCondition } from './names.ts'

/** The question, with its times as timestamps. */
export interface WhoKilledQuestion {
  readonly service: string
  readonly host: string | undefined
  readonly since: string
  readonly until: string
}

const earlierMax = 10

/** The latest death of a service, the ones before it, and who was watching. */
export async function whoKilled(database: pg.Pool, question: WhoKilledQuestion): Promise<WhoKilledAnswer> {
  const [rows, coverage] = await Promise.all([findLatest(database, question), findCoverage(database, question)])
  const [latest, ...earlier] = rows
  return {
    service: question.service,
    since: question.since,
    until: question.until,
    death: latest?.event ?? null,
    deathCount: Number(latest?.total ?? 0),
    earlier: earlier.map(({ event }) => ({
      id: event.id,
      at: event.at,
      host: event.host.name,
      cause: event.cause,
      summary: event.verdict.summary,
    })),
    coverage,
    order: hostOrderOf(rows.map(({ event }) => event)),
  }
}

async function findLatest(database: pg.Pool, { service, host, since, until }: WhoKilledQuestion) {
  const services = serviceCondition(service)
  const hosts = hostCondition(host)
  const { rows } = await database.query<{ event: DeathEvent; total: string }>(sql, [
    services.exact,
    services.like,
    hosts.exact,
    hosts.like,
    since,
    until,
    earlierMax + 1,
  ])
  return rows
}

const matches = `
  at >= $5 and at < $6
    and ($1::text[] is null or service_name = any ($1))
    and ($2::text is null or service_name like $2)
    and ($3::text[] is null or host_name = any ($3))
    and ($4::text is null or host_name like $4)`

// Counted apart, so that the events themselves are read for the few alone.
const sql = `
  select event, (select count(*) from deaths where ${matches}) as total
  from deaths
  where ${matches}
  order by at desc, id desc
  limit $7`
