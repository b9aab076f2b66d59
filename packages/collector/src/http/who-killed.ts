import { Problem, WhoKilledAnswer, WhoKilledQuery } from '@whokilled/shared/http-api'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { isoOf } from '../query/timestamps.ts'
import { whoKilled } from '../query/who-killed.ts'
import type { HttpContext } from './context.ts'
import { checkOrder, timeOf } from './parameters.ts'

/** What is asked about if no time is given. */
const sinceDefault = '24h'
const clockAheadMaxMs = 60_000

/** GET /v1/who-killed */
export const whoKilledRoutes: FastifyPluginAsyncZod<HttpContext> = async (server, { database }) => {
  server.get(
    '/v1/who-killed',
    {
      schema: {
        summary: 'The latest death of a service, with its cause',
        description: `Without \`since\`: the last ${sinceDefault}. No death is an answer too: \`coverage\` says who was watching.`,
        tags: ['answers'],
        querystring: z.strictObject(WhoKilledQuery.shape),
        response: { 200: WhoKilledAnswer, '4xx': Problem, '5xx': Problem },
      },
    },
    async ({ query }) => {
      const nowMs = Date.now()
      const since = timeOf(query.since ?? sinceDefault, nowMs, '')
      // A host's clock may be ahead of ours, and its last death is asked for.
      const until = timeOf(query.until, nowMs, isoOf(nowMs + clockAheadMaxMs))
      checkOrder(since, until)
      return await whoKilled(database, { service: query.service, host: query.host, since, until })
    },
  )
}
