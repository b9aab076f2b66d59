import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { HttpContext } from './context.ts'

/** GET /metrics, in Prometheus' text format. */
export const metricsRoutes: FastifyPluginAsyncZod<HttpContext> = async (server, { metrics }) => {
  server.get(
    '/metrics',
    {
      config: { isWithoutDatabase: true },
      schema: {
        summary: "The collector's own counters",
        tags: ['operating'],
        produces: [metrics.registry.contentType],
      },
    },
    async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}
