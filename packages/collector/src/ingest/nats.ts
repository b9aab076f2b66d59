import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/transport-node'
import { CodedError } from '@whokilled/shared/coded-error'
import { readCredentialsFile, readKeyFile, readSeedFile, renewableFile } from '@whokilled/shared/key-file'
import { natsConnectionProblem } from '@whokilled/shared/nats-problem'
import { natsServers } from '@whokilled/shared/nats-settings'
import { adminInbox, collectorInbox } from '@whokilled/shared/subjects'
import type { Config } from '../config.ts'
import { NatsError } from '../errors.ts'

const reconnectDelayMs = 500
const reconnectJitterMs = 500
const pingDelayMs = 10_000
const connectDelayMaxMs = 5_000

/**
 * Connects, and from then on reconnects for ever by itself; `changed` is told null when it is connected, else what is
 * wrong. Rejects with a CodedError if the first attempt fails. Keys and certificates are read again at each
 * connection, so that they can be renewed without a restart.
 */
export async function connectNats(config: Config, changed: (problem: string | null) => void): Promise<NatsConnection> {
  try {
    const connection = await connect({
      ...natsServers(config),
      ...identityOf(config, 'natsNkeyFile', 'natsCredentialsFile'),
      name: 'whokilled-collector',
      inboxPrefix: collectorInbox,
      timeout: connectDelayMaxMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectDelayMs,
      reconnectJitter: reconnectJitterMs,
      // The key may be renewed on the server first, and here later.
      ignoreAuthErrorAbort: true,
      // A server that vanished from the network is noticed after two of these.
      pingInterval: pingDelayMs,
    })
    changed(null)
    void follow(connection, changed)
    return connection
  } catch (error) {
    const problem = natsError(error instanceof errors.TimeoutError ? await reasonOf(config, error) : error)
    changed(wordsOf(problem))
    throw problem
  }
}

/** A connection that is made again and again does not tell why it fails; one that is tried once does. */
async function reasonOf(config: Config, timeout: Error): Promise<unknown> {
  try {
    const identity = identityOf(config, 'natsNkeyFile', 'natsCredentialsFile')
    const once = { ...natsServers(config), ...identity, reconnect: false, timeout: connectDelayMaxMs }
    await (await connect(once)).close()
    return timeout
  } catch (error) {
    return error
  }
}

/**
 * A connection of the identity that may make the stream; the collector's own where no other is given. Rejects with a
 * CodedError.
 */
export async function connectAdmin(config: Config): Promise<NatsConnection> {
  const isOther = config.natsAdminNkeyFile !== undefined || config.natsAdminCredentialsFile !== undefined
  try {
    const servers = natsServers(config)
    return await connect({
      ...(isOther ? withoutLogin(servers) : servers),
      ...(isOther
        ? identityOf(config, 'natsAdminNkeyFile', 'natsAdminCredentialsFile')
        : identityOf(config, 'natsNkeyFile', 'natsCredentialsFile')),
      name: 'whokilled-collector migrate',
      inboxPrefix: isOther ? adminInbox : collectorInbox,
      timeout: connectDelayMaxMs,
      reconnect: false,
    })
  } catch (error) {
    throw natsError(error)
  }
}

/** What it means that NATS cannot be used; what has a code stays as it is. */
export function natsError(error: unknown): CodedError {
  if (error instanceof CodedError) return error
  const { code, message, hint } = natsConnectionProblem(error, {
    whenRefused:
      'Name a key that nats-server knows in natsNkeyFile (whokilled-collector identity init makes it), and let nats-server reload its users.',
    whenForbidden:
      'migrate takes the key of admin (natsAdminNkeyFile), run that of the collector (natsNkeyFile); docs/security.md names what each may do.',
  })
  return new NatsError(code, message, hint, { cause: error })
}

type KeySetting = 'natsNkeyFile' | 'natsCredentialsFile' | 'natsAdminNkeyFile' | 'natsAdminCredentialsFile'

function identityOf(
  config: Config,
  nkey: KeySetting,
  credentials: KeySetting,
): Pick<ConnectionOptions, 'authenticator'> {
  const { [nkey]: nkeyFile, [credentials]: credentialsFile, natsKeyFile } = config
  // The client reads it itself, and minds no mode.
  if (natsKeyFile !== undefined) readKeyFile('natsKeyFile', natsKeyFile)
  let authenticator: Authenticator | undefined
  if (nkeyFile !== undefined) authenticator = nkeyAuthenticator(renewableFile(() => readSeedFile(nkey, nkeyFile)))
  else if (credentialsFile !== undefined) {
    authenticator = credsAuthenticator(renewableFile(() => readCredentialsFile(credentials, credentialsFile)))
  }
  return authenticator === undefined ? {} : { authenticator }
}

/** The login in the URL is the collector's. */
function withoutLogin({ user: _user, pass: _pass, token: _token, ...servers }: ReturnType<typeof natsServers>) {
  return servers
}

async function follow(connection: NatsConnection, changed: (problem: string | null) => void): Promise<void> {
  let refusal: string | undefined
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') {
      refusal = undefined
      changed(null)
    }
    if (status.type === 'error' && status.error instanceof errors.AuthorizationError) {
      refusal = wordsOf(natsError(status.error))
      changed(refusal)
    }
    if (status.type === 'disconnect' || status.type === 'reconnecting' || status.type === 'staleConnection')
      changed(refusal ?? 'disconnected')
  }
  changed('closed')
}

function wordsOf({ message, hint }: CodedError): string {
  return `${message}. ${hint}`
}
