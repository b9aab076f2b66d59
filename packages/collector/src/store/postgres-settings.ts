import { isLoopback } from '@whokilled/shared/loopback'
import type { SettingProblem } from '@whokilled/shared/setting-problem'
import { urlFile } from '@whokilled/shared/settings'
import { z } from 'zod'

const file = z.string().min(1).optional()
const PostgresUrl = z
  .string()
  .refine((text) => /^postgres(?:ql)?:\/\//.test(text), 'expected postgres://… or postgresql://…')

/** The settings of Postgres. Files are named, not read: certificates are read at each connection. */
export const postgresSettings = {
  postgresUrl: PostgresUrl.optional(),
  /** A file that holds the URL, where it contains a password. */
  postgresUrlFile: urlFile,
  /** Who owns the tables: for `migrate`, where the user of postgresUrl may only read and write. */
  postgresAdminUrl: PostgresUrl.optional(),
  postgresAdminUrlFile: urlFile,
  /** The authorities whose certificates are believed (PEM); the system's without it. Asks for TLS. */
  postgresCaFile: file,
  /** A client certificate (PEM), where the server wants one, and its key. */
  postgresCertificateFile: file,
  postgresKeyFile: file,
  /** Allow plain text to other machines. */
  postgresPlaintext: z.boolean().default(false),
}

/** The environment's names of these settings. */
export const postgresVariables = {
  WHOKILLED_POSTGRES_URL: 'postgresUrl',
  WHOKILLED_POSTGRES_URL_FILE: 'postgresUrlFile',
  WHOKILLED_POSTGRES_ADMIN_URL: 'postgresAdminUrl',
  WHOKILLED_POSTGRES_ADMIN_URL_FILE: 'postgresAdminUrlFile',
  WHOKILLED_POSTGRES_CA_FILE: 'postgresCaFile',
  WHOKILLED_POSTGRES_CERTIFICATE_FILE: 'postgresCertificateFile',
  WHOKILLED_POSTGRES_KEY_FILE: 'postgresKeyFile',
  WHOKILLED_POSTGRES_PLAINTEXT: 'postgresPlaintext',
} as const

/** Where Postgres is, and how it has to prove that it is. */
export interface PostgresPlace {
  /** Without what would decide about TLS: that is decided here. */
  readonly url: string
  /** null: plain text. */
  readonly tls: { readonly caFile?: string; readonly certificateFile?: string; readonly keyFile?: string } | null
}

/** What decides beside the URL. */
export interface PostgresTlsSettings {
  readonly postgresCaFile?: string | undefined
  readonly postgresCertificateFile?: string | undefined
  readonly postgresKeyFile?: string | undefined
  readonly postgresPlaintext?: boolean | undefined
}

/**
 * How to connect to a URL of Postgres. TLS always means that the certificate has to hold and to name the server:
 * libpq's weaker modes, which pg takes from the URL in other meanings than libpq, are problems rather than wishes
 * that are silently granted. Without a word about TLS another machine is reached over TLS, this one (loopback or a
 * Unix socket) without.
 */
export function postgresPlace(url: string, settings: PostgresTlsSettings): PostgresPlace | SettingProblem {
  const { bare, parameters } = split(url)
  const wish = tlsWish(parameters)
  if (typeof wish === 'object') return wish
  const host = hostOf(bare, parameters)
  if (host === undefined) {
    return {
      code: 'config-invalid',
      message:
        'expected a URL of Postgres whose host can be read, received one with a percent sign that stands for nothing',
      hint: 'Write % as %25; the path of a Unix socket as %2Frun%2Fpostgresql.',
    }
  }
  // Without one pg would take PGHOST of the environment, which may be another machine.
  if (host === 'localhost') parameters.set('host', host)
  const isLocal = host.startsWith('/') || isLoopback(host)
  const { postgresCaFile, postgresCertificateFile, postgresKeyFile, postgresPlaintext } = settings
  if ((postgresCertificateFile === undefined) !== (postgresKeyFile === undefined)) {
    return {
      code: 'postgres-certificate-half',
      message: 'expected postgresCertificateFile and postgresKeyFile together, received one of them',
      hint: 'Name the client certificate and its key, or neither.',
    }
  }
  const hasFiles = postgresCaFile !== undefined || postgresCertificateFile !== undefined
  if (wish === 'off' && (hasFiles || !(isLocal || postgresPlaintext === true))) {
    return {
      code: 'postgres-tls-weakened',
      message: `postgresUrl: expected TLS to ${hasFiles ? 'match postgresCaFile' : 'another machine'}, received sslmode=disable`,
      hint: 'Take sslmode out of the URL; set postgresPlaintext to true (WHOKILLED_POSTGRES_PLAINTEXT=true) where the network is trusted.',
    }
  }
  const isEncrypted = wish === 'on' || hasFiles || !(isLocal || wish === 'off' || postgresPlaintext === true)
  // A Unix socket has no TLS in Postgres.
  if (!isEncrypted || host.startsWith('/')) return { url: joined(bare, parameters), tls: null }
  return {
    url: joined(bare, parameters),
    tls: {
      ...(postgresCaFile !== undefined && { caFile: postgresCaFile }),
      ...(postgresCertificateFile !== undefined && { certificateFile: postgresCertificateFile }),
      ...(postgresKeyFile !== undefined && { keyFile: postgresKeyFile }),
    },
  }
}

/** Parameters of a URL that would decide about TLS behind our back. */
const tlsParameters = ['ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'uselibpqcompat', 'sslnegotiation']

function tlsWish(parameters: URLSearchParams): 'on' | 'off' | undefined | SettingProblem {
  const file = ['sslcert', 'sslkey', 'sslrootcert'].find((name) => parameters.has(name))
  if (file !== undefined) {
    return {
      code: 'postgres-tls-in-url',
      message: `postgresUrl: expected no file in the URL, received ${file}`,
      hint: 'Name the files in postgresCaFile, postgresCertificateFile and postgresKeyFile.',
    }
  }
  const mode = parameters.get('sslmode') ?? undefined
  const ssl = parameters.get('ssl') ?? undefined
  if (mode === 'disable' || (mode === undefined && (ssl === 'false' || ssl === '0'))) return 'off'
  if (mode === undefined && ssl === undefined) return undefined
  const isStrong = mode === undefined ? ssl === 'true' || ssl === '1' : /^(?:require|verify-ca|verify-full)$/.test(mode)
  if (isStrong) return 'on'
  return {
    code: 'postgres-tls-weakened',
    message: `postgresUrl: expected sslmode=verify-full or none, received ${mode === undefined ? 'another value of ssl' : 'a mode that trusts any server'}`,
    hint: 'Take it out of the URL: the certificate is always checked, against postgresCaFile or the system’s authorities.',
  }
}

/** A URL of Postgres may lack what URL wants (`postgres://user@/db?host=/run`), so its parameters are taken off first. */
function split(url: string): { bare: string; parameters: URLSearchParams } {
  const at = url.indexOf('?')
  return at === -1
    ? { bare: url, parameters: new URLSearchParams() }
    : { bare: url.slice(0, at), parameters: new URLSearchParams(url.slice(at + 1)) }
}

function joined(bare: string, parameters: URLSearchParams): string {
  const kept = new URLSearchParams([...parameters].filter(([name]) => !tlsParameters.includes(name)))
  return kept.size === 0 ? bare : `${bare}?${kept}`
}

/** As pg finds it: the parameter wins, a percent-encoded path is a Unix socket; nothing is this machine. Undefined: unreadable. */
function hostOf(bare: string, parameters: URLSearchParams): string | undefined {
  const named = parameters.getAll('host').at(-1)
  if (named !== undefined && named !== '') return named
  const authority = /^[^:]+:\/\/([^/]*)/.exec(bare)?.[1] ?? ''
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  const bracketed = /^\[(.*)\]/.exec(host)?.[1]
  if (bracketed !== undefined) return bracketed
  try {
    return decodeURIComponent(host.replace(/:\d*$/, '')) || 'localhost'
  } catch {
    return undefined
  }
}
