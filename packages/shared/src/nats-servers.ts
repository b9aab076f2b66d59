/** True if the text is one or several URLs `nats://…` or `tls://…`, separated by commas. */
export function isNatsUrl(text: string): boolean {
  return text.split(',').every((part) => /^(?:nats|tls):\/\/./.test(part.trim()) && URL.canParse(part.trim()))
}

/** Options of the NATS client. */
export interface NatsServers {
  readonly servers: string[]
  readonly user?: string
  readonly pass?: string
  readonly token?: string
  readonly tls?: Record<string, never>
}

/**
 * How to connect to a URL of NATS, or to several separated by commas. The client takes no name, password or token from
 * a URL, and no encryption from its scheme: they are options of their own.
 */
export function natsServers(url: string): NatsServers {
  const urls = url.split(',').map((part) => new URL(part.trim()))
  const { username = '', password = '' } = urls.find((one) => one.username !== '') ?? {}
  return {
    servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
    ...(password !== '' && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    ...(username !== '' && password === '' && { token: decodeURIComponent(username) }),
    ...(urls.some(({ protocol }) => protocol === 'tls:') && { tls: {} }),
  }
}
