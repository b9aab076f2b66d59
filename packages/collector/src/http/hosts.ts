import { HostsAnswer, Problem } from '@whokilled/shared/http-api'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { findHosts } from '../query/hosts.ts'
import type { HttpContext } from './context.ts'

/** GET /v1/hosts */
export const hostRoutes: FastifyPluginAsyncZod<HttpContext> = async (server, { database }) => {
  server.get(
    '/v1/hosts',
    {
      schema: {
        summary: 'Every host that was ever heard of, and whether it is watched',
        tags: ['answers'],
        response: { 200: HostsAnswer, '4xx': Problem, '5xx': Problem },
      },
    },
    async () => ({ hosts: await findHosts(database) }),
  )
}
