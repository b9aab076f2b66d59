import type { CoverageEvent, Event } from '@whokilled/shared/event'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { coverageEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import type { ValidEvent } from '../src/ingest/validate.ts'
import { migrate } from '../src/migrate.ts'
import { findCoverage } from '../src/query/coverage.ts'
import { findHosts } from '../src/query/hosts.ts'
import { prune } from '../src/store/prune.ts'
import { storeBatch } from '../src/store/store-batch.ts'

let postgres: PostgresServer
let database: pg.Pool

beforeAll(async () => {
  postgres = await startPostgres()
  const url = await postgres.createDatabase()
  await migrate({ postgresUrl: url })
  database = new pg.Pool({ connectionString: url, max: 4, options: '-c timezone=UTC' })
})
beforeEach(async () => {
  for (const table of ['dead_letters', 'deaths', 'coverage', 'hosts', 'runs', 'forgotten'])
    await database.query(`delete from ${table}`)
})
afterAll(async () => {
  await database.end()
  await postgres[Symbol.asyncDispose]()
})

const host = (name: string, id = `id-of-${name}`) => ({ id, name, bootId: 'boot' })
const agent = (runId: string, seq: number) => ({ version: '0', probe: 'replay', runId, seq })
const asked = { host: undefined, since: '2026-11-22T00:00:00.000Z', until: '2026-11-23T00:00:00.000Z' }
const time = (second: number) => new Date(Date.UTC(2026, 10, 22, 1, 0, second)).toISOString().replace('Z', '000Z')

describe('the runs of a host', () => {
  /** An agent that is started again every 5 s, and watches for 4 of them; of every tenth run an event is lost. */
  const crashLoop = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => watching(from + index)).flat()
  const watching = (run: number): CoverageEvent[] =>
    [1, run % 10 === 0 ? 3 : 2].map((seq) =>
      coverageEvent({
        host: host('loop'),
        agent: agent(`run-${run}`, seq),
        from: time(run * 5),
        at: time(run * 5 + seq + 1),
        to: time(run * 5 + 4),
      }),
    )
  const earlier = () => database.query(`update runs set last_received_at = last_received_at - interval '3 minutes'`)
  const settled = () => database.query(`update runs set incomplete_since = incomplete_since - interval '3 minutes'`)
  const runsOf = async (name: string) => {
    const { rows } = await database.query<{ n: number }>(
      `select count(*)::int as n from runs where host_name = $1 and run_id <> ''`,
      [name],
    )
    return rows[0]?.n
  }
  const lost = async () => (await findHosts(database)).map(({ name, lostEvents }) => ({ name, lostEvents }))
  const unwatched = async () =>
    (await findCoverage(database, asked)).map(({ gaps }) =>
      gaps.filter(({ why }) => why === 'not-watched').map(({ from, to }) => [from, to]),
    )

  test('that makes a thousand of them become one but for the newest, and its answers stay as they were', async () => {
    await store([...crashLoop(0, 1_000), coverageEvent({ host: host('quiet') })])
    await earlier()
    await settled()
    const before = { lost: await lost(), unwatched: await unwatched() }
    expect(before.lost).toEqual([
      { name: 'loop', lostEvents: 100 },
      { name: 'quiet', lostEvents: 0 },
    ])
    expect(await runsOf('loop')).toBe(1_000)
    const { runsFolded } = await store(crashLoop(1_000, 1_001).slice(0, 1))
    expect({ runsFolded, left: await runsOf('loop'), quiet: await runsOf('quiet') }).toEqual({
      runsFolded: 101,
      left: 900,
      quiet: 1,
    })
    expect(await lost()).toEqual(before.lost)
    const [loop] = await unwatched()
    // The last run has told of 4 s more.
    expect(loop?.slice(0, 1_000)).toEqual(before.unwatched[0]?.slice(0, 1_000))
  })

  test('that come in a backlog are not folded while they may be incomplete', async () => {
    const events = crashLoop(0, 1_500)
    await store(events.filter((_, index) => index % 2 === 1))
    expect((await store(events.filter((_, index) => index % 2 === 0))).runsFolded).toBe(0)
    await settled()
    expect(await lost()).toEqual([{ name: 'loop', lostEvents: 150 }])
    await earlier()
    // The next that is new folds them, and its own row stays.
    expect((await store(crashLoop(1_501, 1_502).slice(0, 1))).runsFolded).toBe(601)
    expect(await lost()).toEqual([{ name: 'loop', lostEvents: 150 }])
  })

  test('are bounded at once if they are very many, and again and again', async () => {
    for (let round = 0; round < 3; round++) await store(madeUpRuns('a-noisy', 12_000, round))
    expect(await runsOf('a-noisy')).toBe(900)
    expect((await database.query('select from runs')).rowCount).toBe(901)
    expect((await database.query('select from coverage')).rowCount).toBe(36_000)
  })

  test('that two collectors note at a time are bounded, and neither fails', async () => {
    const rounds = Array.from({ length: 8 }, (_, round) => madeUpRuns('a-noisy', 3_000, round))
    await Promise.all(rounds.map((events) => store(events)))
    await store(madeUpRuns('a-noisy', 1, 9))
    expect(await runsOf('a-noisy')).toBeLessThanOrEqual(10_000)
  })

  test('with watching in more pieces than are kept keep the newest', async () => {
    const pieces = Array.from({ length: 12_000 }, (_, n) =>
      coverageEvent({ host: host('torn'), agent: agent('run', n + 1), from: time(n * 2), at: time(n * 2 + 1) }),
    )
    await store(pieces.slice(0, 9_000))
    await store(pieces.slice(9_000))
    const { rows } = await database.query(
      `select (select count(*)::int from unnest(watched)) as pieces, to_char(upper(watched), 'YYYY-MM-DD HH24:MI:SS') as until from runs`,
    )
    expect(rows).toEqual([{ pieces: 9_000, until: time(23_999).slice(0, 19).replace('T', ' ') }])
  })
})

describe('the ids of a host', () => {
  test('beyond a hundred are forgotten, those heard of longest ago first, and its coverage says so', async () => {
    await store([coverageEvent({ host: host('quiet') })])
    await store(madeUpIds('a-noisy', 0, 60))
    await database.query(`update hosts set last_received_at = now() - interval '1 hour' where name = 'a-noisy'`)
    const { hostIdsForgotten } = await store(madeUpIds('a-noisy', 60, 120))
    expect(hostIdsForgotten).toBe(20)
    await store(madeUpIds('a-noisy', 120, 130))
    const kept = await database.query<{ id: string }>(`select id from hosts where name = 'a-noisy'`)
    expect(kept.rows.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 30),
    )
    // Their runs went with them, their events did not.
    expect((await database.query('select from runs')).rowCount).toBe(101)
    expect((await database.query('select from coverage')).rowCount).toBe(131)
    const coverage = await findCoverage(database, asked)
    const told = coverage.map(({ host, gaps }) => gaps.filter(({ why }) => why === 'ids-forgotten').map(() => host))
    expect(told.flat()).toEqual(['a-noisy'])
    expect(coverage.flatMap(({ gaps }) => gaps)).toContainEqual(
      expect.objectContaining({ host: 'a-noisy', reason: '30 older ids of this host were forgotten' }),
    )
  })

  test('of a flood in one batch are bounded, too, and other hosts of the batch lose nothing', async () => {
    const quiet = Array.from({ length: 50 }, (_, n) => coverageEvent({ host: host(`quiet-${n}`) }))
    await store([...madeUpIds('a-noisy', 0, 5_000), ...quiet])
    await store(madeUpIds('a-noisy', 5_000, 10_000))
    const { rows } = await database.query(
      `select name like 'quiet%' as quiet, count(*)::int as n from hosts group by 1 order by 1`,
    )
    expect(rows).toEqual([
      { quiet: false, n: 100 },
      { quiet: true, n: 50 },
    ])
    const runs = await database.query(`select from runs where host_name = 'a-noisy'`)
    expect(runs.rowCount).toBeLessThanOrEqual(10_000)
  })

  test('of many hosts do not push others out of the answers', async () => {
    await store(Array.from({ length: 15 }, (_, n) => madeUpIds(`a-noisy-${n}`, 0, 100)).flat())
    await store([coverageEvent({ host: host('quiet') })])
    const coverage = await findCoverage(database, asked)
    expect(coverage).toHaveLength(1_000)
    expect(coverage.map(({ host }) => host)).toContain('quiet')
  })

  test('that are older than what is kept are deleted, the newest of a name never', async () => {
    await store([...madeUpIds('web-3', 0, 3), coverageEvent({ host: host('silent') })])
    await database.query(
      `update hosts set last_received_at = now() - interval '91 days' where id in ('00000', '00001', 'id-of-silent')`,
    )
    await prune(database, 90, 100)
    const { rows } = await database.query('select name, id from hosts order by name')
    expect(rows).toEqual([
      { name: 'silent', id: 'id-of-silent' },
      { name: 'web-3', id: '00002' },
    ])
  })
})

function madeUpRuns(name: string, count: number, round: number): CoverageEvent[] {
  return Array.from({ length: count }, (_, n) =>
    coverageEvent({ host: host(name), agent: agent(`made-up-${round}-${n}`, 1) }),
  )
}

function madeUpIds(name: string, from: number, to: number): Event[] {
  return Array.from({ length: to - from }, (_, n) =>
    coverageEvent({ host: host(name, String(from + n).padStart(5, '0')), agent: agent('run', 1) }),
  )
}

async function store(events: readonly Event[]) {
  const valid = events.map((event): ValidEvent => {
    const subject = `whokilled.v1.${event.host.name}.${event.type}`
    return { event, json: JSON.stringify(event), subject, streamSeq: 1 }
  })
  return await storeBatch(database, valid, [])
}
