import { connect, type NatsConnection } from '@nats-io/transport-node'
import { natsServers } from '@whokilled/shared/nats-servers'

export interface ConnectionOptions {
  readonly url: string
  readonly hostName: string
}

const connectTimeoutMs = 5_000
/** A server that vanished from the network is noticed after two of these. */
const pingMs = 10_000

/**
 * This host's connection to NATS, made when somebody needs it. It is not kept beyond a failure: what is published
 * again must not be published by a connection that comes back, too, and there is one place that waits and tries again
 * (the publisher).
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

  /** The connection there is, or a new one. Rejects if no server answers or takes this host. */
  async open(): Promise<NatsConnection> {
    if (this.current !== undefined && !this.current.isClosed()) return this.current
    const { url, hostName } = this.options
    this.current = await connect({
      ...natsServers(url),
      name: `whokilled-agent ${hostName}`,
      reconnect: false,
      timeout: connectTimeoutMs,
      pingInterval: pingMs,
    })
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
