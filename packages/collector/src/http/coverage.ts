import { CoverageAnswer, CoverageQuery, Problem } from '@whokilled/shared/http-api'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { findCoverage } from '../query/coverage.ts'
import type { HttpContext } from './context.ts'
import { askedTime } from './parameters.ts'

/** GET /v1/coverage */
export const coverageRoutes: FastifyPluginAsyncZod<HttpContext> = async (server, { database }) => {
  server.get(
    '/v1/coverage',
    {
      schema: {
        summary: 'How hosts were watched between two times, and when they were not',
        description: 'Without `since`: the last 24h. Up to `completeUntil` all that a host’s agent saw is stored.',
        tags: ['answers'],
        querystring: z.strictObject(CoverageQuery.shape),
        response: { 200: CoverageAnswer, '4xx': Problem, '5xx': Problem },
      },
    },
    async ({ query }) => {
      const { since, until } = askedTime(query, Date.now())
      return { since, until, coverage: await findCoverage(database, { host: query.host, since, until }) }
    },
  )
}
