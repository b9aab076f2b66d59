import type { NodeConnectionOptions } from '@nats-io/transport-node'

/** True if the text is one URL `nats://…` or `tls://…`, or several separated by commas. */
export function isNatsUrl(text: string): boolean {
  return text.split(',').every((part) => /^(?:nats|tls):\/\/./.test(part.trim()) && URL.canParse(part.trim()))
}

/**
 * How to connect there. The client takes no name, password or token from a URL and no encryption from its scheme:
 * they are options of their own.
 */
export function natsServers(
  text: string,
): Pick<NodeConnectionOptions, 'user' | 'pass' | 'token' | 'tls'> & { servers: string[] } {
  const urls = text.split(',').map((part) => new URL(part.trim()))
  const { username = '', password = '' } = urls.find((url) => url.username !== '') ?? {}
  return {
    servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
    ...(password === ''
      ? username !== '' && { token: decodeURIComponent(username) }
      : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    ...(urls.some(({ protocol }) => protocol === 'tls:') && { tls: {} }),
  }
}
