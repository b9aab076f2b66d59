import { WhoKilledAnswer } from '@whokilled/shared/http-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coverageEvent, deathEvent } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
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

const hour = 'since=2026-11-22T19:00:00Z&until=2026-11-22T20:00:00Z'

test('a death that an agent published is the answer, whole and with unknown fields kept', async () => {
  const death = deathEvent({ later: { thing: 1 }, cause: 'a-cause-of-next-year' })
  await running.publishEvents([coverageEvent()])
  await running.publishEvents([death])
  const { body } = await eventually(
    () => running.get(`/v1/who-killed?service=nginx&${hour}`),
    ({ body }) => WhoKilledAnswer.parse(body).death !== null,
  )
  const answer = WhoKilledAnswer.parse(body)
  expect(answer.death).toEqual(death)
  expect(answer.deathCount).toBe(1)
  expect(answer.earlier).toEqual([])
  expect(answer.coverage.map(({ host }) => host)).toEqual(['web-3'])
})
