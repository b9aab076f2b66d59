import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { nearestWord } from '@whokilled/shared/settings'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import pg from 'pg'
import { withoutTokens } from '../access/token.ts'
import { invalidParameters, type ParameterError, ProblemError, problemBody } from './problem.ts'

/** Makes a problem of whatever goes wrong. */
export function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error, request)
    if (problem.statusCode >= 500)
      request.log.error({ err: error, url: withoutTokens(request.url) }, 'a request failed')
    return reply.code(problem.statusCode).type('application/problem+json').send(problemBody(problem))
  })
  server.setNotFoundHandler((request, reply) => {
    const detail = `nothing answers ${request.method} ${withoutTokens(request.url).slice(0, 200)}`
    const problem = new ProblemError(404, 'no-such-route', detail, { hint: 'All routes are listed at /docs.' })
    return reply.code(404).type('application/problem+json').send(problemBody(problem))
  })
}

/** Answers an address that cannot be read or is too long. For fastify's `frameworkErrors`. */
export function answerFrameworkError(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const [status, code, detail] =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? ([414, 'address-too-long', 'expected a shorter address'] as const)
      : ([
          400,
          'bad-address',
          'expected an address in which % is followed by the two digits of a byte of UTF-8',
        ] as const)
  reply
    .code(status)
    .type('application/problem+json')
    .send(problemBody(new ProblemError(status, code, detail)))
}

/** Answers what is no HTTP request, or came too slowly, and ends the connection. For fastify's `clientErrorHandler`. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // Whoever asks for something once the connection is broken gets an error for it.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
  const [status, code, detail] = clientProblems[error.code ?? ''] ?? [400, 'not-http', 'expected a request of HTTP']
  const body = JSON.stringify(problemBody(new ProblemError(status, code, detail)))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

const clientProblems: Record<string, readonly [number, string, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-too-slow', 'expected the whole request sooner'],
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'expected fewer or shorter headers'],
}

function problemOf(error: FastifyError, request: FastifyRequest): ProblemError {
  if (error instanceof ProblemError) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    return invalidParameters(error.validation.flatMap((issue) => parameterErrors(issue as Issue, request)))
  }
  if (error instanceof pg.DatabaseError && error.code?.startsWith('22') === true) {
    return new ProblemError(400, 'invalid-parameter', `Postgres cannot compare with a parameter: ${error.message}`, {
      hint: 'A NUL character is in no name.',
    })
  }
  if (isDatabaseTrouble(error)) {
    return new ProblemError(503, 'database-unavailable', 'Postgres cannot be asked at the moment', {
      hint: 'Try again; /readyz tells what is missing.',
    })
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return new ProblemError(
      error.statusCode,
      requestProblems[error.code] ?? 'bad-request',
      withoutTokens(error.message),
    )
  }
  return new ProblemError(500, 'internal', 'the collector could not answer', { hint: 'Its log says why.' })
}

const requestProblems: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'not-json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'not-json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'not-json',
}

/** What the zod type provider tells of an issue. */
interface Issue {
  readonly keyword: string
  readonly instancePath: string
  readonly message?: string
  readonly params: { readonly keys?: readonly string[]; readonly expected?: string }
}

function parameterErrors(issue: Issue, request: FastifyRequest): ParameterError[] {
  const { query, params, body } = request
  const given: Record<string, unknown> = {
    ...(query as object),
    ...(params as object),
    ...(body as object | undefined),
  }
  const received = (name: string) => {
    const value = given[name]
    if (value === undefined) return null
    return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200)
  }
  if (issue.keyword === 'unrecognized_keys') {
    const known = knownParameters(request)
    return (issue.params.keys ?? []).map((key) => {
      const nearest = nearestWord(key, known)
      const expected =
        nearest === undefined
          ? `expected one of ${known.join(', ')}`
          : `expected no such parameter, did you mean ${nearest}?`
      return { parameter: key, expected, received: received(key) }
    })
  }
  const parameter = issue.instancePath.slice(1)
  const text = issue.message ?? 'expected something else'
  return [
    {
      parameter,
      expected: text.replace(/, received .*$/, '').replace(/^Invalid input: /, ''),
      received: received(parameter),
    },
  ]
}

function knownParameters(request: FastifyRequest): string[] {
  const { querystring, body } = request.routeOptions.schema ?? {}
  const schema = (body ?? querystring) as { shape?: Record<string, unknown> } | undefined
  return Object.keys(schema?.shape ?? {})
}

/** The server is not there, or refuses to work; a mistake in a query (class 42) is ours. */
function isDatabaseTrouble(error: Error & { code?: string }): boolean {
  if (error instanceof pg.DatabaseError) return !/^42/.test(error.code ?? '') || error.code === '42P01'
  if (error instanceof AggregateError) return error.errors.some((inner) => isDatabaseTrouble(inner))
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'].includes(
      error.code ?? '',
    ) ||
    /timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable/.test(error.message)
  )
}
