import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { natsServers } from '@whokilled/shared/nats-servers'
import type { Config } from '../config.ts'

const reconnectDelayMs = 500
const reconnectJitterMs = 500
const pingDelayMs = 10_000

/**
 * Connects, and from then on reconnects for ever by itself; `changed` is told null when it is connected, else what is
 * wrong. Rejects if the first attempt fails.
 */
export async function connectNats(config: Config, changed: (problem: string | null) => void): Promise<NatsConnection> {
  const connection = await connect({
    ...natsServers(config.natsUrl),
    name: 'whokilled-collector',
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectDelayMs,
    reconnectJitter: reconnectJitterMs,
    // Credentials may be renewed on the server first, and here later.
    ignoreAuthErrorAbort: true,
    // A server that vanished from the network is noticed after two of these.
    pingInterval: pingDelayMs,
    ...(config.natsCredentials === null
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(config.natsCredentials)) }),
  })
  changed(null)
  void follow(connection, changed)
  return connection
}

async function follow(connection: NatsConnection, changed: (problem: string | null) => void): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') changed(null)
    if (status.type === 'disconnect' || status.type === 'reconnecting' || status.type === 'staleConnection')
      changed('disconnected')
  }
  changed('closed')
}
