import { readFileSync } from 'node:fs'
import { httpPort } from '@whokilled/shared/http-api'
import { natsProblem, natsSettings, natsVariables } from '@whokilled/shared/nats-settings'
import { parseSettings } from '@whokilled/shared/settings'
import { z } from 'zod'
import { ConfigError } from './errors.ts'
import { postgresPlace, postgresSettings, postgresVariables } from './store/postgres-settings.ts'

const Stream = z.strictObject({
  /** An event older than this is dropped from the stream, stored or not. */
  ageMaxHours: z.number().positive().default(168),
  /** The oldest events are dropped when the stream gets larger than this. */
  bytesMax: z.int().positive().default(1_073_741_824),
  /** Within this time a message published again is recognised by its id. */
  duplicateWindowSeconds: z.int().min(1).default(120),
  replicas: z.int().min(1).max(5).default(1),
  /** The oldest messages of one host's events of one type are dropped beyond this, so that it leaves room to others. */
  subjectMessagesMax: z.int().min(100).default(25_000),
})

const Batch = z.strictObject({
  /** Messages in one transaction, and messages fetched ahead. */
  messagesMax: z.int().min(1).max(10_000).default(200),
  /** A transaction is closed when its messages' bytes reach this. */
  bytesMax: z.int().min(1_024).max(67_108_864).default(4_194_304),
  /** How long a transaction waits for more messages. */
  delayMs: z.int().min(0).max(10_000).default(5),
})

/** The settings, as written in the file. Every limit has a default. */
const Settings = z.strictObject({
  ...natsSettings,
  /** Who may make the stream: for `migrate`, where the collector itself may not. */
  natsAdminNkeyFile: z.string().optional(),
  natsAdminCredentialsFile: z.string().optional(),
  /** The users that nats-server includes, which `host` and `identity` write. */
  natsUsersFile: z.string().default('/etc/nats/whokilled-users.conf'),
  ...postgresSettings,
  /** Connections for answering. Storing has two of its own, so that many questions do not keep it waiting. */
  postgresConnectionsMax: z.int().min(1).max(100).default(8),
  httpHost: z.string().min(1).default('127.0.0.1'),
  /** 0: any free port. */
  httpPort: z.int().min(0).max(65_535).default(httpPort),
  /** `loopback`: whoever is on this machine may read. `tokens`: whoever has one. `anyone`: whoever reaches it. */
  httpAccess: z.enum(['loopback', 'tokens', 'anyone']).default('loopback'),
  /** Names that it is asked by, beside localhost; without it any, unless httpAccess is loopback. */
  httpNames: z.array(z.string().min(1).max(255)).max(100).optional(),
  /** PEM files: then it speaks TLS. Read again at SIGHUP. */
  httpCertificateFile: z.string().optional(),
  httpKeyFile: z.string().optional(),
  /** Listen without TLS on an address that is not loopback. */
  httpPlaintext: z.boolean().default(false),
  /** Of one token, or of one address without one. */
  httpRequestsPerMinuteMax: z.int().min(1).max(10_000_000).default(6_000),
  httpConnectionsMax: z.int().min(1).max(100_000).default(500),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  stream: Stream.prefault({}),
  batch: Batch.prefault({}),
  /** A message that is not acknowledged within this time is delivered again. */
  ackWaitSeconds: z.int().min(1).max(3_600).default(30),
  /** Messages delivered and not acknowledged yet, over all collectors. */
  ackPendingMax: z.int().min(1).max(100_000).default(2_000),
  /** A larger event goes to the dead letters. */
  eventBytesMax: z.int().min(1_024).max(16_777_216).default(262_144),
  /** Events older than this are deleted; null keeps them for ever. */
  retentionDays: z.int().min(1).nullable().default(90),
  /** The oldest dead letters are deleted when there are more. */
  deadLettersMax: z.int().min(1).default(100_000),
})

/** The settings once the files that hold URLs have been read. */
export type Config = Readonly<
  Omit<z.output<typeof Settings>, 'natsUrlFile' | 'postgresUrlFile' | 'postgresAdminUrlFile' | 'postgresUrl'> & {
    postgresUrl: string
  }
>

const variables = {
  ...natsVariables,
  WHOKILLED_NATS_ADMIN_NKEY_FILE: 'natsAdminNkeyFile',
  WHOKILLED_NATS_ADMIN_CREDENTIALS_FILE: 'natsAdminCredentialsFile',
  WHOKILLED_NATS_USERS_FILE: 'natsUsersFile',
  ...postgresVariables,
  WHOKILLED_HTTP_HOST: 'httpHost',
  WHOKILLED_HTTP_PORT: 'httpPort',
  WHOKILLED_HTTP_ACCESS: 'httpAccess',
  WHOKILLED_HTTP_PLAINTEXT: 'httpPlaintext',
  WHOKILLED_LOG_LEVEL: 'logLevel',
} as const

/**
 * Reads the settings: the file, and over it the environment. An unknown key is an error that names the nearest one.
 * No message repeats a URL, because it may hold a password.
 */
export function loadConfig(file: string | undefined, environment: NodeJS.ProcessEnv): Config {
  const written = writtenSettings(file, environment)
  const { natsUrlFile, postgresUrlFile, postgresAdminUrlFile, ...settings } = parsed(written)
  // A URL in the environment wins over a file that holds one.
  const url = (key: UrlSetting, from: string | undefined, variable: string) =>
    from === undefined || environment[variable] ? settings[key] : readUrl(key, from)
  const postgresUrl = url('postgresUrl', postgresUrlFile, 'WHOKILLED_POSTGRES_URL')
  if (postgresUrl === undefined) {
    throw new ConfigError(
      'config-invalid',
      'postgresUrl: expected postgres://…, received nothing',
      'Set WHOKILLED_POSTGRES_URL, or postgresUrl or postgresUrlFile in the file given with --config.',
    )
  }
  const config = Object.freeze({
    ...settings,
    postgresUrl,
    postgresAdminUrl: url('postgresAdminUrl', postgresAdminUrlFile, 'WHOKILLED_POSTGRES_ADMIN_URL'),
    natsUrl: url('natsUrl', natsUrlFile, 'WHOKILLED_NATS_URL') ?? settings.natsUrl,
  })
  for (const one of [config.postgresUrl, config.postgresAdminUrl ?? config.postgresUrl]) {
    const place = postgresPlace(one, config)
    if ('code' in place) throw new ConfigError(place.code, place.message, place.hint)
  }
  return config
}

/** Where the users are that nats-server includes, without a need for any other setting. */
export function natsUsersFile(file: string | undefined, environment: NodeJS.ProcessEnv): string {
  return parsed(writtenSettings(file, environment)).natsUsersFile
}

/** Throws a ConfigError where the connection to NATS would not be safe, or not be one. */
export function checkNats(config: Config): void {
  const problem = natsProblem(config)
  if (problem !== undefined) throw new ConfigError(problem.code, problem.message, problem.hint)
}

function writtenSettings(file: string | undefined, environment: NodeJS.ProcessEnv): Record<string, unknown> {
  return { ...(file === undefined ? {} : readJson(file)), ...fromEnvironment(environment) }
}

function parsed(written: Record<string, unknown>): z.output<typeof Settings> {
  const result = parseSettings(Settings, written)
  if ('settings' in result) return result.settings
  throw new ConfigError(
    'config-invalid',
    result.problems.join('; '),
    'Correct the setting; docs/store.md names them all.',
  )
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [variable, key] of Object.entries(variables)) {
    const value = environment[variable]
    if (value === undefined || value === '') continue
    found[key] = valueIn(key, value)
  }
  return found
}

function valueIn(key: string, text: string): unknown {
  if (key === 'httpPort' && /^\d+$/.test(text)) return Number(text)
  return key.endsWith('Plaintext') && /^(?:true|false)$/.test(text) ? text === 'true' : text
}

function readJson(file: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(
      'config-unreadable',
      `${file}: ${(cause as Error).message}`,
      'Check the path and its permissions.',
      {
        cause,
      },
    )
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    // JSON.parse quotes the text around the fault, which may be a password.
    const position = /position \d+/.exec((cause as Error).message)?.[0] ?? 'an unknown position'
    throw new ConfigError(
      'config-not-json',
      `${file}: expected JSON, found a fault at ${position}`,
      'Comments and trailing commas are not JSON.',
    )
  }
  throw new ConfigError('config-not-json', `${file}: expected a JSON object`, 'Write the settings between { and }.')
}

type UrlSetting = 'natsUrl' | 'postgresUrl' | 'postgresAdminUrl'

function readUrl(key: UrlSetting, file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new ConfigError(
      'secret-unreadable',
      `${key}File: ${(cause as Error).message}`,
      'Check the path and its permissions.',
      { cause },
    )
  }
  const { success, error } = Settings.shape[key].safeParse(text)
  if (success) return text
  throw new ConfigError(
    'config-invalid',
    `${key}File: ${error.issues[0]?.message}, received another text`,
    `Correct what ${file} holds.`,
  )
}
