import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isTokenLike, type Scope, withoutTokens } from '../access/token.ts'
import type { TokenCheck } from '../access/token-check.ts'
import type { Config } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import { checkOrigin } from './origin.ts'
import { ProblemError } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller must be allowed to; `open`: nothing, and nobody is asked. Without it: read. */
    access?: Scope | 'open'
    /** It is answered without Postgres, so it is allowed to a token that was good when Postgres was there. */
    isWithoutDatabase?: boolean
  }
}

/** What the guard goes by. */
export interface GuardContext {
  readonly settings: Pick<Config, 'httpAccess' | 'httpNames' | 'httpRequestsPerMinuteMax'>
  readonly tokens: TokenCheck
  readonly metrics: Metrics
}

/** Tokens that are not known to be good are tried this often a minute from one address, so that guessing is slow. */
const attemptsPerMinuteMax = 20
const minuteMs = 60_000

/**
 * Asks every request but those to open routes who it is, before anything else is done for it: how it came here, its
 * token, how often it asks, and what it may. To be called before the routes are added.
 */
export async function guard(server: FastifyInstance, { settings, tokens, metrics }: GuardContext): Promise<void> {
  await server.register(rateLimit, { global: false })
  const max = settings.httpRequestsPerMinuteMax
  // Addresses are told apart by /64 in IPv6, which is what one customer has.
  const byAddress = server.createRateLimit({ max, timeWindow: minuteMs })
  const byToken = server.createRateLimit({ max, timeWindow: minuteMs, keyGenerator: tokenOf })
  const attempts = server.createRateLimit({ max: Math.min(attemptsPerMinuteMax, max), timeWindow: minuteMs })

  server.addHook('onRequest', async (request, reply) => {
    const { access = 'read', isWithoutDatabase = false } = request.routeOptions.config ?? {}
    if (access === 'open') return
    try {
      refuseTokenInAddress(request)
      checkOrigin(request, settings)
      const scope = await scopeOf(request, reply, isWithoutDatabase)
      if (access === 'admin' && scope !== 'admin') throw scopeMissing(request, reply)
    } catch (error) {
      if (error instanceof ProblemError) metrics.httpRefused.inc({ reason: error.code })
      throw error
    }
  })

  /** What the caller may. */
  async function scopeOf(request: FastifyRequest, reply: FastifyReply, mayRemember: boolean): Promise<Scope> {
    const token = tokenOf(request)
    if (token === '' || (settings.httpAccess !== 'tokens' && !isTokenLike(token))) {
      await limit(byAddress, request, reply)
      // A proxy in front may send on what it was asked with: that is not for us.
      if (settings.httpAccess !== 'tokens') return 'read'
      throw unauthorised(reply, 'token-missing')
    }
    const isKnown = isTokenLike(token) && tokens.wasGood(token)
    await (isKnown ? limit(byToken, request, reply) : limit(attempts, request, reply))
    const known = isTokenLike(token) ? await tokens.find(token, mayRemember) : undefined
    if (known?.state !== 'good') throw unauthorised(reply, `token-${known?.state ?? 'unknown'}`)
    if (!isKnown) await limit(byToken, request, reply)
    return known.scope
  }
}

/** What stands behind `Authorization: Bearer`, or nothing. */
function tokenOf(request: FastifyRequest): string {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
}

function refuseTokenInAddress({ url }: FastifyRequest): void {
  if (withoutTokens(url) === url) return
  throw new ProblemError(
    400,
    'token-in-address',
    'expected a token in the header Authorization, got one in the address',
    {
      hint: 'Addresses end up in logs and histories: revoke that token, and send the next as Authorization: Bearer …',
    },
  )
}

const refusals = {
  'token-missing': ['expected a token, got none', 'Send the header Authorization: Bearer wk_…'],
  'token-unknown': ['expected a token of this collector, got another text', 'Is it whole, and of this collector?'],
  'token-expired': ['expected a token that is valid, got one that has expired', 'Ask for a new one.'],
  'token-revoked': ['expected a token that is valid, got one that was revoked', 'Ask for a new one.'],
} as const

const howMade = 'Whoever runs the collector makes one with whokilled-collector token add NAME.'

function unauthorised(reply: FastifyReply, code: keyof typeof refusals): ProblemError {
  const [detail, hint] = refusals[code]
  // RFC 6750, 3.1: no error where no token came.
  reply.header(
    'www-authenticate',
    `Bearer realm="whokilled"${code === 'token-missing' ? '' : ', error="invalid_token"'}`,
  )
  return new ProblemError(401, code, detail, { hint: `${hint} ${howMade}` })
}

function scopeMissing(request: FastifyRequest, reply: FastifyReply): ProblemError {
  if (tokenOf(request) === '') return unauthorised(reply, 'token-missing')
  reply.header('www-authenticate', 'Bearer realm="whokilled", error="insufficient_scope", scope="admin"')
  return new ProblemError(403, 'scope-missing', 'expected a token with the scope admin, got one with read', {
    hint: 'whokilled-collector token add NAME --scope admin makes one.',
  })
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

async function limit(limiter: Limiter, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const found = await limiter(request)
  if (found.isAllowed || !found.isExceeded) return
  const seconds = Math.max(1, found.ttlInSeconds)
  reply.header('retry-after', String(seconds))
  throw new ProblemError(429, 'too-many-requests', `expected at most ${found.max} requests a minute, got more`, {
    hint: `Ask again in ${seconds} s.`,
  })
}
