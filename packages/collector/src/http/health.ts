import { Problem } from '@whokilled/shared/http-api'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { HttpContext } from './context.ts'

const Healthz = z.object({ status: z.literal('alive') })

const Readyz = z.object({
  ready: z.boolean(),
  /** null: all is well. */
  dependencies: z.array(z.object({ name: z.string(), problem: z.string().nullable() })),
})

const pingDelayMaxMs = 2_000

/** GET /healthz: the process answers. GET /readyz: it has all it needs; else 503 with what is missing. */
export const healthRoutes: FastifyPluginAsyncZod<HttpContext> = async (server, { database, readiness }) => {
  server.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: { summary: 'Is the process alive', tags: ['operating'], response: { 200: Healthz } },
    },
    async () => ({ status: 'alive' as const }),
  )

  server.get(
    '/readyz',
    {
      config: { isWithoutDatabase: true },
      schema: {
        summary: 'Has it all it needs',
        tags: ['operating'],
        response: { 200: Readyz, 503: z.union([Readyz, Problem]) },
      },
    },
    async (_request, reply) => {
      const dependencies = await readiness.check(ping)
      const ready = dependencies.every(({ problem }) => problem === null)
      return reply.code(ready ? 200 : 503).send({ ready, dependencies })
    },
  )

  async function ping(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${pingDelayMaxMs} ms`)), pingDelayMaxMs)
    })
    try {
      await Promise.race([database.query('select 1'), late])
    } finally {
      clearTimeout(timer)
    }
  }
}
