import helmet from '@fastify/helmet'
import { type FastifyBaseLogger, fastify, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Log } from '../log.ts'
import type { HttpContext } from './context.ts'
import { coverageRoutes } from './coverage.ts'
import { deathRoutes } from './deaths.ts'
import { docsRoutes } from './docs.ts'
import { answerErrors } from './errors.ts'
import { healthRoutes } from './health.ts'
import { hostRoutes } from './hosts.ts'
import { metricsRoutes } from './metrics.ts'
import { whoKilledRoutes } from './who-killed.ts'

/** Bodies are not asked for, so they are small. */
const bodyBytesMax = 16_384
const headerBytesMax = 8_192
const requestDelayMaxMs = 10_000
const answerDelayMaxMs = 35_000
const parameterLengthMax = 512

/** The HTTP API as an app that does not listen: tests inject requests. */
export async function buildServer(context: HttpContext) {
  const server = fastify({
    loggerInstance: warningsOf(context.log),
    // One line a request is the reverse proxy's; errors are logged by the error handler.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    requestTimeout: requestDelayMaxMs,
    connectionTimeout: answerDelayMaxMs,
    handlerTimeout: answerDelayMaxMs,
    http: { maxHeaderSize: headerBytesMax },
    routerOptions: { maxParamLength: parameterLengthMax },
    // Idle connections would keep a stopping collector waiting.
    forceCloseConnections: 'idle',
  }).withTypeProvider<ZodTypeProvider>()
  server.setValidatorCompiler(validatorCompiler)
  server.setSerializerCompiler(serializerCompiler)
  answerErrors(server)
  await server.register(helmet, {
    // The collector itself speaks plain HTTP, and must work without a proxy in front.
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    strictTransportSecurity: false,
  })
  server.addHook('onResponse', async (request, reply) => {
    const labels = { route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) }
    context.metrics.httpSeconds.observe(labels, reply.elapsedTime / 1_000)
  })
  await docsRoutes(server)
  await server.register(whoKilledRoutes, context)
  await server.register(deathRoutes, context)
  await server.register(hostRoutes, context)
  await server.register(coverageRoutes, context)
  await server.register(healthRoutes, context)
  await server.register(metricsRoutes, context)
  return server
}

/** Where it listens is logged by main. */
function warningsOf(log: Log): FastifyBaseLogger {
  return log.child({}, { level: log.isLevelEnabled('warn') ? 'warn' : log.level })
}
