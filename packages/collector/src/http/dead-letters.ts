import {
  DeadLettersOrder,
  DeadLettersPage,
  DeadLettersQuery,
  DropAnswer,
  payloadBytesMax,
  RetryAnswer,
} from '@whokilled/shared/dead-letters-api'
import { Problem } from '@whokilled/shared/http-api'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { dropDeadLetters } from '../dead-letters/drop.ts'
import { listDeadLetters } from '../dead-letters/list.ts'
import { type Retried, retryDeadLetters } from '../dead-letters/retry.ts'
import type { Selection } from '../dead-letters/selection.ts'
import { encodeCursor, letterDigest } from '../query/cursor.ts'
import type { HttpContext } from './context.ts'
import { cursorOf, timeOf } from './parameters.ts'
import { invalidParameters } from './problem.ts'

/** A request goes on with the next batch until this has passed; then it says where to go on. */
const workMs = 5_000

/** GET /v1/dead-letters, POST /v1/dead-letters/retry, POST /v1/dead-letters/drop */
export const deadLetterRoutes: FastifyPluginAsyncZod<HttpContext> = async (server, { database, settings }) => {
  const isBad = { '4xx': Problem, '5xx': Problem }
  server.get(
    '/v1/dead-letters',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Events that could not be stored, newest first',
        tags: ['dead letters'],
        querystring: z.strictObject(DeadLettersQuery.shape),
        response: { 200: DeadLettersPage, ...isBad },
      },
    },
    async ({ query }) => {
      const { limit, payloadBytes } = query
      if (limit * payloadBytes > payloadBytesMax) {
        const expected = `expected at most ${payloadBytesMax} bytes in all, ${Math.floor(payloadBytesMax / limit)} with a limit of ${limit}`
        throw invalidParameters([{ parameter: 'payloadBytes', expected, received: String(payloadBytes) }])
      }
      const after = cursorOf(query.cursor, letterDigest)
      const { letters, next } = await listDeadLetters(database, selectionOf(query), { limit, payloadBytes, after })
      return { deadLetters: letters, nextCursor: next === null ? null : encodeCursor(next) }
    },
  )

  server.post(
    '/v1/dead-letters/retry',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Try to store them, oldest first',
        description: 'Ends after some seconds of work: `nextCursor` then goes on, until it is null.',
        tags: ['dead letters'],
        body: DeadLettersOrder,
        response: { 200: RetryAnswer, ...isBad },
      },
    },
    async ({ body }) => {
      const { eventBytesMax } = settings
      const endMs = Date.now() + workMs
      let sum: Retried = { stored: 0, duplicates: 0, failed: 0, cut: 0, next: cursorOf(body.cursor, letterDigest) }
      do {
        const done = await retryDeadLetters(database, selectionOf(body), { eventBytesMax, after: sum.next })
        sum = {
          stored: sum.stored + done.stored,
          duplicates: sum.duplicates + done.duplicates,
          failed: sum.failed + done.failed,
          cut: sum.cut + done.cut,
          next: done.next,
        }
      } while (sum.next !== null && Date.now() < endMs)
      const { next, ...counts } = sum
      return { ...counts, nextCursor: next === null ? null : encodeCursor(next) }
    },
  )

  server.post(
    '/v1/dead-letters/drop',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Delete them',
        description: 'Ends after some seconds of work: ask again until `isComplete`.',
        tags: ['dead letters'],
        body: DeadLettersOrder,
        response: { 200: DropAnswer, ...isBad },
      },
    },
    async ({ body }) => {
      const endMs = Date.now() + workMs
      let dropped = 0
      for (;;) {
        const count = await dropDeadLetters(database, selectionOf(body))
        dropped += count
        if (count === 0) return { dropped, isComplete: true }
        if (Date.now() >= endMs) return { dropped, isComplete: false }
      }
    },
  )
}

function selectionOf(asked: z.output<typeof DeadLettersOrder> | z.output<typeof DeadLettersQuery>): Selection {
  const { digest, reason, host, olderThan } = asked
  return { digest, reason, host, before: timeOf(olderThan, Date.now(), null) }
}
