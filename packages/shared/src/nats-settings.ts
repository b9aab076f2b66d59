import { z } from 'zod'
import { isLoopback } from './loopback.ts'
import { serverIdentity } from './server-identity.ts'
import type { SettingProblem } from './setting-problem.ts'
import { urlFile } from './settings.ts'

const file = z.string().min(1).optional()

/**
 * The settings of NATS, the same in the agent and the collector. Files are named, not read: keys and certificates are
 * read at each connection, so that they can be renewed without a restart.
 */
export const natsSettings = {
  natsUrl: z
    .string()
    .refine(
      isNatsUrl,
      'expected URLs that begin with nats:// or tls://, separated by commas; in a password % is written as %25',
    )
    .default('nats://127.0.0.1:4222'),
  /** A file that holds the URL, where it contains a password. */
  natsUrlFile: urlFile,
  /** The seed of an nkey, as `whokilled-collector host add` writes it. */
  natsNkeyFile: file,
  /** A .creds file as made by nsc. */
  natsCredentialsFile: file,
  /** The authorities whose certificates are believed (PEM); the system's without it. Asks for TLS. */
  natsCaFile: file,
  /** A client certificate (PEM), where the server wants one, and its key. */
  natsCertificateFile: file,
  natsKeyFile: file,
  /** Allow plain text to other machines. */
  natsPlaintext: z.boolean().default(false),
}

/** The environment's names of these settings. */
export const natsVariables = {
  WHOKILLED_NATS_URL: 'natsUrl',
  WHOKILLED_NATS_URL_FILE: 'natsUrlFile',
  WHOKILLED_NATS_NKEY_FILE: 'natsNkeyFile',
  WHOKILLED_NATS_CREDENTIALS_FILE: 'natsCredentialsFile',
  WHOKILLED_NATS_CA_FILE: 'natsCaFile',
  WHOKILLED_NATS_CERTIFICATE_FILE: 'natsCertificateFile',
  WHOKILLED_NATS_KEY_FILE: 'natsKeyFile',
  WHOKILLED_NATS_PLAINTEXT: 'natsPlaintext',
} as const

/** The settings once `natsUrlFile` has been read. */
export interface NatsSettings {
  readonly natsUrl: string
  readonly natsNkeyFile?: string | undefined
  readonly natsCredentialsFile?: string | undefined
  readonly natsCaFile?: string | undefined
  readonly natsCertificateFile?: string | undefined
  readonly natsKeyFile?: string | undefined
  readonly natsPlaintext?: boolean | undefined
}

/** True if the text is one or several URLs `nats://…` or `tls://…`, separated by commas. */
export function isNatsUrl(text: string): boolean {
  return text.split(',').every((part) => {
    const url = part.trim()
    return /^(?:nats|tls):\/\/./.test(url) && URL.canParse(url) && isReadableLogin(new URL(url))
  })
}

/** A password without a name would not be sent; a bare % is found in many a password, and decodes to nothing. */
function isReadableLogin({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username)
    decodeURIComponent(password)
  } catch {
    return false
  }
  return username !== '' || password === ''
}

/** Options of the NATS client that follow from the settings, without the identity that is read from a file. */
export interface NatsServers {
  readonly servers: string[]
  readonly user?: string
  readonly pass?: string
  readonly token?: string
  /** Present: nothing is sent before the server has shown a certificate that holds. */
  readonly tls?: {
    readonly checkServerIdentity: ReturnType<typeof serverIdentity>
    readonly caFile?: string
    readonly certFile?: string
    readonly keyFile?: string
  }
  /** Servers that another server tells of are not connected to: over plain text they may be on other machines. */
  readonly ignoreClusterUpdates: boolean
}

/**
 * How to connect to the URL of NATS, or to several separated by commas. The client takes no name, password or token
 * from a URL, and no encryption from its scheme: they are options of their own.
 */
export function natsServers(settings: NatsSettings): NatsServers {
  const urls = urlsOf(settings.natsUrl)
  const { username = '', password = '' } = urls.find((one) => one.username !== '') ?? {}
  const isEncrypted = asksForTls(settings)
  return {
    servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
    ...(password !== '' && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    ...(username !== '' && password === '' && { token: decodeURIComponent(username) }),
    ...(isEncrypted && {
      tls: {
        checkServerIdentity: serverIdentity(urls.map(({ hostname }) => hostname.replace(/^\[|\]$/g, ''))),
        ...(settings.natsCaFile !== undefined && { caFile: settings.natsCaFile }),
        ...(settings.natsCertificateFile !== undefined && { certFile: settings.natsCertificateFile }),
        ...(settings.natsKeyFile !== undefined && { keyFile: settings.natsKeyFile }),
      },
    }),
    ignoreClusterUpdates: !isEncrypted && settings.natsPlaintext !== true,
  }
}

/** What is wrong with the settings as a whole; undefined if nothing is. No text repeats the URL's password. */
export function natsProblem(settings: NatsSettings): SettingProblem | undefined {
  const urls = urlsOf(settings.natsUrl)
  const isLogin = urls.some(({ username }) => username !== '')
  const identities = [
    ...(isLogin ? ['a name or token in natsUrl'] : []),
    ...(settings.natsNkeyFile === undefined ? [] : ['natsNkeyFile']),
    ...(settings.natsCredentialsFile === undefined ? [] : ['natsCredentialsFile']),
  ]
  if (identities.length > 1) {
    return {
      code: 'nats-identities',
      message: `expected one identity for NATS, received ${identities.join(' and ')}`,
      hint: 'Keep the one that this program shall have.',
    }
  }
  if ((settings.natsCertificateFile === undefined) !== (settings.natsKeyFile === undefined)) {
    return {
      code: 'nats-certificate-half',
      message: 'expected natsCertificateFile and natsKeyFile together, received one of them',
      hint: 'Name the client certificate and its key, or neither.',
    }
  }
  const far = urls.find(({ hostname }) => !isLoopback(hostname))
  if (far === undefined || asksForTls(settings) || settings.natsPlaintext === true) return undefined
  return {
    code: 'nats-plaintext',
    message: `natsUrl: expected TLS to another machine, received plain text to ${far.host}`,
    hint: 'Write tls:// in place of nats:// and set natsCaFile; or set natsPlaintext to true (WHOKILLED_NATS_PLAINTEXT=true) where the network is trusted.',
  }
}

function asksForTls({ natsUrl, natsCaFile, natsCertificateFile }: NatsSettings): boolean {
  return (
    natsCaFile !== undefined ||
    natsCertificateFile !== undefined ||
    urlsOf(natsUrl).some(({ protocol }) => protocol === 'tls:')
  )
}

function urlsOf(natsUrl: string): URL[] {
  return natsUrl.split(',').map((part) => new URL(part.trim()))
}
