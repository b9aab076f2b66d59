import { Problem, WhoKilledAnswer, WhoKilledQuery } from '@whokilled/shared/http-api'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { whoKilled } from '../query/who-killed.ts'
import type { HttpContext } from './context.ts'
import { askedTime, sinceDefault } from './parameters.ts'

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
      const { since, until } = askedTime(query, Date.now())
      return await whoKilled(database, { service: query.service, host: query.host, since, until })
    },
  )
}
