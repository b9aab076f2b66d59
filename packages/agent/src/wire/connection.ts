import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type NatsSettings, natsServers } from '@whokilled/shared/nats-settings'
import { hostInbox } from '@whokilled/shared/subjects'
import { identityOptions } from './identity.ts'
import { wireError } from './wire-error.ts'

export interface ConnectionOptions extends Omit<NatsSettings, 'natsUrl'> {
  readonly url: string
  readonly hostName: string
}

const connectTimeoutMs = 5_000
/** A server that vanished from the network is noticed after two of these. */
const pingMs = 10_000

/**
 * This host's connection to NATS, made when somebody needs it. It is not kept beyond a failure: what is published
 * again must not be published by a connection that comes back, too, and there is one place that waits and tries again
 * (the publisher). Key and certificates are read each time, so that they can be renewed without a restart.
 */
export class Connection {
  private readonly options: ConnectionOptions
  private current: NatsConnection | undefined

  constructor(options: ConnectionOptions) {
    this.options = options
  }

  get isConnected(): boolean {
    return this.current !== undefined && !this.current.isClosed()
  }

  /** The connection there is, or a new one. Rejects with a WireError if no server answers or takes this host. */
  async open(): Promise<NatsConnection> {
    if (this.current !== undefined && !this.current.isClosed()) return this.current
    const { url, hostName, ...settings } = this.options
    const nats = { ...settings, natsUrl: url }
    try {
      this.current = await connect({
        ...natsServers(nats),
        ...identityOptions(nats),
        name: `whokilled-agent ${hostName}`,
        inboxPrefix: hostInbox(hostName),
        reconnect: false,
        timeout: connectTimeoutMs,
        pingInterval: pingMs,
      })
    } catch (error) {
      throw wireError(error, hostName)
    }
    return this.current
  }

  /** The connection there is; undefined while there is none. */
  get ifOpen(): NatsConnection | undefined {
    return this.isConnected ? this.current : undefined
  }

  async close(): Promise<void> {
    await this.current?.close()
  }
}
