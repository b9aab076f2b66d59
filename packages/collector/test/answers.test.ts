import { CoverageAnswer, DeathsPage, HostsAnswer, Problem, WhoKilledAnswer } from '@whokilled/shared/http-api'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coverageEvent, deathEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { dropDeadLetters } from '../src/dead-letters/drop.ts'
import { prune } from '../src/store/prune.ts'
import { eventually, type Running, startRunning } from './running.ts'

let postgres: PostgresServer
let running: Running

beforeAll(async () => {
  postgres = await startPostgres()
  running = await startRunning(postgres)
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
})

test('a death that an agent published is the answer, whole and with unknown fields and values kept', async () => {
  const death = deathEvent({ service: service('whole.service'), later: { thing: 1 }, cause: 'a-cause-of-next-year' })
  await running.publishEvents([death])
  const answer = await whoKilled('service=whole', hasDeath)
  expect(answer.death).toEqual(death)
  expect(answer).toMatchObject({ service: 'whole', deathCount: 1, earlier: [] })
})

test('the latest death is the answer, and the ones before it are listed newest first, at most ten', async () => {
  const deaths = Array.from({ length: 12 }, (_, second) =>
    death('loop.service', `2026-11-22T19:30:${10 + second}.000000Z`),
  )
  // Out of order, as spools deliver.
  await running.publishEvents([deaths[11] as never, ...deaths.slice(0, 11)])
  const answer = await whoKilled('service=loop.service', ({ deathCount }) => deathCount === 12)
  expect(answer.death?.at).toBe('2026-11-22T19:30:21.000000Z')
  expect(answer.earlier.map(({ at }) => at.slice(17, 19))).toEqual([
    '20',
    '19',
    '18',
    '17',
    '16',
    '15',
    '14',
    '13',
    '12',
    '11',
  ])
})

test('a service is found by its name, without .service, and by a pattern, but not by a part of its name', async () => {
  await running.publishEvents([death('my_app-7.service', '2026-11-22T19:31:00.000000Z')])
  await whoKilled('service=my_app-7', hasDeath)
  expect((await whoKilled('service=my_app-7.service')).death).not.toBeNull()
  expect((await whoKilled('service=my_app*')).death).not.toBeNull()
  expect((await whoKilled('service=my_app')).death).toBeNull()
  expect((await whoKilled('service=my%25')).death).toBeNull()
  // The underscore is a letter here, and none of SQL's.
  await running.publishEvents([death('its-name.service', '2026-11-22T19:31:00.000000Z')])
  await whoKilled('service=its-name*', hasDeath)
  expect((await whoKilled('service=its_name*')).death).toBeNull()
})

test('without a death the answer says which hosts were watched, and which were not', async () => {
  await using fresh = await startRunning(postgres)
  const host = (name: string) => ({ id: `host-${name}`, name, bootId: 'boot' })
  const watched = coverageEvent({
    host: host('watched'),
    from: '2026-11-22T18:00:00.000Z',
    at: '2026-11-22T20:00:00.000Z',
  })
  const late = coverageEvent({ host: host('late'), from: '2026-11-22T19:15:00.000Z', at: '2026-11-22T20:00:00.000Z' })
  const stopped = coverageEvent({
    host: host('stopped'),
    state: 'stopped',
    reason: 'told to',
    from: '2026-11-22T18:00:00.000Z',
    at: '2026-11-22T19:45:00.000Z',
  })
  for (const event of [watched, late, stopped]) await fresh.publishEvents([event])
  await fresh.publishEvents([deathEvent({ host: host('unwatched') })])

  const path = '/v1/who-killed?service=nobody&since=2026-11-22T19:00:00Z&until=2026-11-22T20:00:00Z'
  const { body } = await eventually(
    () => fresh.get(path),
    ({ body }) => WhoKilledAnswer.parse(body).coverage.length === 4,
  )
  const answer = WhoKilledAnswer.parse(body)
  expect(answer).toMatchObject({ death: null, deathCount: 0, earlier: [] })
  expect(answer.coverage).toEqual([
    {
      host: 'late',
      completeUntil: '2026-11-22T20:00:00.000000Z',
      gaps: [gap('late', '2026-11-22T19:00:00.000000Z', '2026-11-22T19:15:00.000000Z', 'not watched', 'not-watched')],
    },
    {
      host: 'stopped',
      completeUntil: '2026-11-22T19:45:00.000000Z',
      gaps: [gap('stopped', '2026-11-22T19:45:00.000000Z', null, 'stopped: told to', 'stopped')],
    },
    { host: 'unwatched', completeUntil: null, gaps: [] },
    { host: 'watched', completeUntil: '2026-11-22T20:00:00.000000Z', gaps: [] },
  ])
})

test('a gap that an agent told, and the time between two runs of it, are in the answer', async () => {
  await using fresh = await startRunning(postgres)
  const first = { version: '0.1.0', probe: 'systemtap', runId: 'first', seq: 1 }
  const second = { ...first, runId: 'second' }
  await fresh.publishEvents([
    coverageEvent({ agent: first, from: '2026-11-22T18:00:00.000Z', at: '2026-11-22T19:10:00.000Z' }),
    coverageEvent({
      agent: { ...first, seq: 2 },
      state: 'gap',
      from: '2026-11-22T19:05:00.000Z',
      to: '2026-11-22T19:05:01.000Z',
      at: '2026-11-22T19:05:01.000Z',
      reason: 'records were lost',
      lostRecords: 17,
    }),
    coverageEvent({ agent: second, from: '2026-11-22T19:20:00.000Z', at: '2026-11-22T20:00:00.000Z' }),
  ])
  const path = '/v1/who-killed?service=nobody&since=2026-11-22T19:00:00Z&until=2026-11-22T20:00:00Z'
  const { body } = await eventually(
    () => fresh.get(path),
    ({ body }) => WhoKilledAnswer.parse(body).coverage.length === 1,
  )
  expect(WhoKilledAnswer.parse(body).coverage[0]?.gaps).toEqual([
    gap('web-3', '2026-11-22T19:05:00.000000Z', '2026-11-22T19:05:01.000000Z', 'records were lost', null, 17),
    gap('web-3', '2026-11-22T19:10:00.000000Z', '2026-11-22T19:20:00.000000Z', 'not watched', 'not-watched'),
  ])
  const hosts = HostsAnswer.parse((await fresh.get('/v1/hosts')).body).hosts
  expect(hosts).toMatchObject([{ name: 'web-3', state: 'watching', lostRecords: 17, lostEvents: 0 }])
})

test('events that never came, and events that could not be stored, are gaps in the answer', async () => {
  const host = { id: 'host-lossy', name: 'web.lossy_%', bootId: 'boot-lossy' }
  const agent = (seq: number) => ({ version: '0.1.0', probe: 'systemtap', runId: 'run-lossy', seq })
  const [from, to] = ['2026-11-22T19:10:00.000000Z', '2026-11-22T19:20:00.000000Z']
  const ask = async () => (await whoKilled('service=never-stored&host=web.lossy_%25')).coverage[0]?.gaps ?? []
  const told = (reason: string, why: string) => gap(host.name, from, to, reason, why)

  const bad = { ...deathEvent({ host, agent: agent(2), service: service('never-stored') }), v: 2 }
  await running.publishEvents([coverageEvent({ host, agent: agent(1), state: 'watching', at: from, from, to: from })])
  await running.publishEvents([bad as never])
  // Another host cannot make its own bad events look like this one's.
  await running.publish('whokilled.v1.web-9.death', JSON.stringify({ ...bad, at: to }))
  await running.publishEvents([coverageEvent({ host, agent: agent(4), state: 'watching', at: to, from, to })])
  const aside = told('1 events of the agent could not be stored', 'events-put-aside')
  await eventually(ask, (gaps) => gaps.some(({ why }) => why === 'events-put-aside'))
  await eventually(
    async () => (await letters()).length,
    (count) => count === 2,
  )
  expect((await ask()).filter(({ from: begin }) => begin === from)).toEqual([aside])

  await inDatabase(
    `update runs set incomplete_since = incomplete_since - interval '3 minutes' where run_id = 'run-lossy'`,
  )
  const lost = told('1 events of the agent never came', 'events-lost')
  expect((await ask()).filter(({ from: begin }) => begin === from)).toEqual(expect.arrayContaining([aside, lost]))

  // Deleting a dead letter, by hand or at the limit, does not make its event come.
  const database = new pg.Pool({ connectionString: running.databaseUrl, max: 1 })
  const ofOther = { digest: undefined, reason: undefined, host: 'web-9', before: null }
  expect(await dropDeadLetters(database, ofOther)).toBe(1)
  expect(await prune(database, null, 0)).toMatchObject({ deadLetters: 1 })
  await database.end()
  expect(await letters()).toEqual([])
  expect((await ask()).filter(({ from: begin }) => begin === from)).toEqual(expect.arrayContaining([aside, lost]))
})

test('the coverage of a host between two times tells what an agent that came back said of its absence', async () => {
  await using fresh = await startRunning(postgres)
  const first = { version: '0.1.0', probe: 'systemtap', runId: 'first', seq: 1 }
  const second = { ...first, runId: 'second' }
  const killed = { why: 'agent-killed', reason: 'the agent was killed or crashed' }
  const at = (time: string) => `2026-11-22T19:${time}.000000Z`
  await fresh.publishEvents([
    coverageEvent({ agent: first, from: at('00:00'), at: at('10:00') }),
    // The first run went on for 20 s more, and could not say so.
    coverageEvent({ agent: second, state: 'stopped', from: at('00:00'), at: at('10:20'), ...killed }),
    coverageEvent({ agent: { ...second, seq: 2 }, state: 'gap', from: at('10:20'), at: at('14:00'), ...killed }),
    coverageEvent({ agent: { ...second, seq: 3 }, from: at('14:00'), at: at('14:00') }),
    coverageEvent({
      ...{ agent: { ...second, seq: 4 }, state: 'gap', from: at('20:00'), at: at('50:00') },
      ...{ why: 'host-suspended', reason: 'the host was suspended for 30 min' },
    }),
    coverageEvent({ agent: { ...second, seq: 5 }, from: at('14:00'), at: at('59:59') }),
  ])
  await fresh.publishEvents([coverageEvent({ host: { id: 'other', name: 'db-1', bootId: 'b' } })])
  const ask = async (query: string) => CoverageAnswer.parse((await fresh.get(`/v1/coverage?${query}`)).body)
  const whole = await eventually(
    () => ask(`host=web-3&since=${at('00:00')}&until=${at('59:00')}`),
    ({ coverage }) => coverage[0]?.gaps.length === 2 && coverage[0].completeUntil === at('59:59'),
  )
  expect(whole).toMatchObject({ since: at('00:00'), until: at('59:00') })
  expect(whole.coverage).toEqual([
    {
      host: 'web-3',
      completeUntil: at('59:59'),
      gaps: [
        gap('web-3', at('10:20'), at('14:00'), killed.reason, 'agent-killed'),
        gap('web-3', at('20:00'), at('50:00'), 'the host was suspended for 30 min', 'host-suspended'),
      ],
    },
  ])
  const part = await ask(`host=web-*&since=${at('15:00')}&until=${at('19:00')}`)
  expect(part.coverage).toEqual([{ host: 'web-3', completeUntil: at('59:59'), gaps: [] }])
  expect((await ask(`host=nobody&since=${at('15:00')}`)).coverage).toEqual([])
  const hosts = HostsAnswer.parse((await fresh.get('/v1/hosts')).body).hosts
  expect(hosts.find(({ name }) => name === 'web-3')).toMatchObject({ state: 'watching', watchedSince: at('14:00') })
})

test('deaths come in pages that stay as they are while new deaths arrive', async () => {
  const at = (second: number) => `2026-11-22T19:50:${10 + second}.000001Z`
  const [first, ...rest] = Array.from({ length: 7 }, (_, second) => death('paged.service', at(second)))
  // Two at the same microsecond: the id decides.
  const twin = deathEvent({ service: service('paged.service'), at: at(3), incidentId: 'twin' })
  await running.publishEvents([first as never, ...rest, twin])
  await whoKilled('service=paged', ({ deathCount }) => deathCount === 8)

  const seen: string[] = []
  let cursor = ''
  for (let page = 0; page < 4; page++) {
    const answer = DeathsPage.parse((await running.get(`/v1/deaths?service=paged&limit=3${cursor}`)).body)
    seen.push(...answer.deaths.map(({ id }) => id))
    if (answer.nextCursor === null) break
    cursor = `&cursor=${answer.nextCursor}`
    await running.publishEvents([death('paged.service', `2026-11-22T19:59:${10 + page}.000000Z`)])
    await whoKilled('service=paged', ({ deathCount }) => deathCount === 9 + page)
  }
  const expected = [first, ...rest, twin].map((each) => each as { id: string; at: string })
  expected.sort((a, b) => b.at.localeCompare(a.at) || b.id.localeCompare(a.id))
  expect(seen).toEqual(expected.map(({ id }) => id))
})

test('deaths are filtered by host, cause and time', async () => {
  const oom = deathEvent({
    service: service('filtered.service'),
    cause: 'oom',
    host: { id: 'host-db', name: 'db-1.example.org', bootId: 'b' },
  })
  await running.publishEvents([oom])
  await whoKilled('service=filtered', hasDeath)
  const ids = async (query: string) => {
    const { body } = await running.get(`/v1/deaths?service=filtered&${query}`)
    return DeathsPage.parse(body).deaths.map(({ id }) => id)
  }
  expect(await ids('host=db-1.example.org&cause=oom')).toEqual([oom.id])
  expect(await ids('host=db-*&since=2026-11-22T19:40:00Z&until=2026-11-22T19:41:00Z')).toEqual([oom.id])
  expect(await ids('host=db-1')).toEqual([])
  expect(await ids('cause=signal')).toEqual([])
  expect(await ids('until=2026-11-22T19:40:00Z')).toEqual([])
})

test('one death is found by its id; an id of nothing is a problem with status 404', async () => {
  const one = death('by-id.service', '2026-11-22T19:32:00.999999Z')
  await running.publishEvents([one])
  const { body } = await eventually(
    () => running.get(`/v1/deaths/${one.id}`),
    ({ status }) => status === 200,
  )
  expect(body).toEqual(one)
  for (const id of ['01a204c6-6b0b-78e5-8255-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff']) {
    const missing = await running.get(`/v1/deaths/${id}`)
    expect(missing).toMatchObject({ status: 404, body: { code: 'no-such-death' } })
  }
})

test.each([
  ['/v1/who-killed', 'service', null],
  ['/v1/who-killed?service=x&since=yesterday', 'since', 'yesterday'],
  ['/v1/who-killed?service=x&since=2026-11-22&until=2026-11-21', 'since', '2026-11-22T00:00:00.000000Z'],
  ['/v1/who-killed?servcie=x', 'servcie', 'x'],
  ['/v1/coverage?service=x', 'service', 'x'],
  ['/v1/coverage?since=2026-11-22&until=2026-11-21', 'since', '2026-11-22T00:00:00.000000Z'],
  ['/v1/deaths?limit=0', 'limit', '0'],
  ['/v1/deaths?cursor=rubbish', 'cursor', 'rubbish'],
  ['/v1/deaths/not-an-id', 'id', 'not-an-id'],
])('%s is a problem that names the parameter, what was expected and what came', async (path, parameter, received) => {
  const { status, type, body } = await running.get(path)
  const problem = Problem.parse(body)
  expect({ status, type }).toEqual({ status: 400, type: expect.stringContaining('application/problem+json') })
  expect(problem.code).toBe('invalid-parameter')
  expect(problem.errors?.find((error) => error.parameter === parameter)).toEqual({
    parameter,
    received,
    expected: expect.stringMatching(/expected/),
  })
})

test.each(['since=0001-01-01', 'since=999999w', 'since=9999-12-30&until=9999-12-31T23:59:59-23:59'])(
  '%s is a time like any other',
  async (times) => {
    expect(await running.get(`/v1/who-killed?service=x&${times}`)).toMatchObject({ status: 200, body: { death: null } })
  },
)

test('a name with a NUL character is a problem of whoever asks', async () => {
  expect(await running.get('/v1/deaths?service=a%00b')).toMatchObject({
    status: 400,
    body: { code: 'invalid-parameter' },
  })
})

test('a mistyped parameter is answered with the one that was meant', async () => {
  const { body } = await running.get('/v1/deaths?sinse=24h')
  expect(Problem.parse(body).detail).toContain('did you mean since?')
})

test('an unknown route is a problem too', async () => {
  expect(await running.get('/v2/nothing')).toMatchObject({ status: 404, body: { code: 'no-such-route' } })
})

test('/docs shows a page, and /docs/json describes every route', async () => {
  const page = await running.get('/docs')
  expect(page.status).toBe(200)
  const { body } = await running.get('/docs/json')
  expect(Object.keys((body as { paths: object }).paths).sort()).toEqual([
    '/healthz',
    '/metrics',
    '/readyz',
    '/v1/coverage',
    '/v1/dead-letters',
    '/v1/dead-letters/drop',
    '/v1/dead-letters/retry',
    '/v1/deaths',
    '/v1/deaths/{id}',
    '/v1/hosts',
    '/v1/who-killed',
  ])
})

const hour = 'since=2026-11-22T19:00:00Z&until=2026-11-22T20:00:00Z'

async function whoKilled(query: string, accept: (answer: WhoKilledAnswer) => boolean = () => true) {
  const ask = async () => WhoKilledAnswer.parse((await running.get(`/v1/who-killed?${query}&${hour}`)).body)
  return await eventually(ask, accept)
}

async function inDatabase(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: running.databaseUrl })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const letters = () => inDatabase(`select digest from dead_letters where run_id = 'run-lossy'`)

function hasDeath(answer: WhoKilledAnswer): boolean {
  return answer.death !== null
}

function death(name: string, at: string) {
  return deathEvent({ service: service(name), at })
}

function service(name: string) {
  return { name, kind: 'systemd' }
}

function gap(host: string, from: string, to: string | null, reason: string, why: string | null, lostRecords = 0) {
  return { host, from, to, why, reason, lostRecords }
}
