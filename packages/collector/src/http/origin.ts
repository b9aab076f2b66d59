import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { isLoopback } from './access-rules.ts'
import { ProblemError } from './problem.ts'

/**
 * Refuses what a page in somebody's browser, or a proxy, asks in the name of this machine.
 *
 * A page of `attacker.example` can have its name resolve to 127.0.0.1 (DNS rebinding) and then read answers as its
 * own: such a request names the page's host. No answer allows another origin to read it (there is no CORS), and what
 * a page sends elsewhere says so in `Origin`.
 */
export function checkOrigin(
  request: FastifyRequest,
  { httpAccess, httpNames }: Pick<Config, 'httpAccess' | 'httpNames'>,
) {
  const host = nameIn(request.headers.host ?? '')
  if (httpAccess === 'loopback' || httpNames !== undefined) {
    const isKnown = isLoopback(host) || (httpNames ?? []).some((name) => name.toLowerCase() === host)
    if (!isKnown) {
      throw new ProblemError(
        421,
        'wrong-host',
        `expected localhost, or a name in httpNames, got ${host || 'no name'}`,
        {
          hint: 'Ask it by that name; or add the name it is asked by to the setting httpNames.',
        },
      )
    }
  }
  if (httpAccess === 'loopback' && proxyHeaders.some((name) => request.headers[name] !== undefined)) {
    throw new ProblemError(403, 'through-a-proxy', 'expected a program on this machine, got the request of a proxy', {
      hint: 'With a proxy in front, everybody who reaches it would be let in: set httpAccess to tokens, or to anyone if the proxy asks who they are.',
    })
  }
  const { origin } = request.headers
  if (origin !== undefined && hostOf(origin) !== request.headers.host?.toLowerCase()) {
    throw new ProblemError(403, 'cross-origin', 'expected no page of another origin to ask', {
      hint: 'Let a server of your own ask, with a token.',
    })
  }
}

/** What proxies add; nginx does only if it is told to. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const

/** A Host header without its port. */
function nameIn(host: string): string {
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
