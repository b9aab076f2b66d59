import { DeathEvent } from '@whokilled/shared/event'
import { DeathsPage, DeathsQuery, Problem } from '@whokilled/shared/http-api'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { eventId } from '../query/cursor.ts'
import { findDeath } from '../query/death-by-id.ts'
import { findDeaths } from '../query/deaths.ts'
import type { HttpContext } from './context.ts'
import { checkOrder, cursorOf, timeOf } from './parameters.ts'
import { ProblemError } from './problem.ts'

/** GET /v1/deaths, GET /v1/deaths/:id */
export const deathRoutes: FastifyPluginAsyncZod<HttpContext> = async (server, { database }) => {
  server.get(
    '/v1/deaths',
    {
      schema: {
        summary: 'Deaths, newest first',
        tags: ['answers'],
        querystring: z.strictObject(DeathsQuery.shape),
        response: { 200: DeathsPage, '4xx': Problem, '5xx': Problem },
      },
    },
    async ({ query }) => {
      const nowMs = Date.now()
      const since = timeOf(query.since, nowMs, null)
      const until = timeOf(query.until, nowMs, null)
      checkOrder(since, until)
      const { service, host, cause, limit } = query
      const after = cursorOf(query.cursor, eventId)
      return await findDeaths(database, { service, host, cause, since, until, limit, after })
    },
  )

  server.get(
    '/v1/deaths/:id',
    {
      schema: {
        summary: 'One death event, whole',
        tags: ['answers'],
        params: z.strictObject({ id: z.uuid('expected a UUID') }),
        response: { 200: DeathEvent, '4xx': Problem, '5xx': Problem },
      },
    },
    async ({ params }) => {
      const death = await findDeath(database, params.id)
      if (death !== undefined) return death
      throw new ProblemError(404, 'no-such-death', `no death event has the id ${params.id}`, {
        hint: 'It may have been deleted when it was too old.',
      })
    },
  )
}
