import helmet from '@fastify/helmet'
import { type FastifyBaseLogger, fastify, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Log } from '../log.ts'
import type { HttpContext } from './context.ts'
import { coverageRoutes } from './coverage.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { deathRoutes } from './deaths.ts'
import { docsRoutes } from './docs.ts'
import { answerClientError, answerErrors, answerFrameworkError } from './errors.ts'
import { guard } from './guard.ts'
import { healthRoutes } from './health.ts'
import { hostRoutes } from './hosts.ts'
import { metricsRoutes } from './metrics.ts'
import type { Sockets } from './sockets.ts'
import { whoKilledRoutes } from './who-killed.ts'

/** What is asked for with a body is a choice of dead letters. */
const bodyBytesMax = 16_384
const answerDelayMaxMs = 35_000
const parameterLengthMax = 512

/** The HTTP API as an app that does not listen: tests inject requests. */
export async function buildServer(context: HttpContext, sockets: Sockets) {
  const server = fastify({
    loggerInstance: warningsOf(context.log),
    // One line a request is the reverse proxy's; errors are logged by the error handler.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    handlerTimeout: answerDelayMaxMs,
    serverFactory: (handler) => sockets.make(handler),
    clientErrorHandler: answerClientError,
    frameworkErrors: answerFrameworkError,
    routerOptions: { maxParamLength: parameterLengthMax },
    // Idle connections would keep a stopping collector waiting.
    forceCloseConnections: 'idle',
  }).withTypeProvider<ZodTypeProvider>()
  server.setValidatorCompiler(validatorCompiler)
  server.setSerializerCompiler(serializerCompiler)
  answerErrors(server)
  await server.register(helmet, {
    // It may speak plain HTTP without a proxy in front. And a promise of TLS would bind all else on that host, too.
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    strictTransportSecurity: false,
  })
  await guard(server, context)
  server.addHook('onResponse', async (request, reply) => {
    const labels = { route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) }
    context.metrics.httpSeconds.observe(labels, reply.elapsedTime / 1_000)
  })
  await docsRoutes(server)
  await server.register(whoKilledRoutes, context)
  await server.register(deathRoutes, context)
  await server.register(hostRoutes, context)
  await server.register(coverageRoutes, context)
  await server.register(deadLetterRoutes, context)
  await server.register(healthRoutes, context)
  await server.register(metricsRoutes, context)
  return server
}

/** Where it listens is logged by main. */
function warningsOf(log: Log): FastifyBaseLogger {
  return log.child({}, { level: log.isLevelEnabled('warn') ? 'warn' : log.level })
}
