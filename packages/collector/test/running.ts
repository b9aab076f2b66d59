import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { messageOf } from '../../../test/events.ts'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import type { PostgresServer } from '../../../test/servers/postgres.ts'
import { type Collector, startCollector } from '../src/collector.ts'
import { type Config, loadConfig } from '../src/config.ts'
import { createLog } from '../src/log.ts'

/** A collector with a NATS server and a database of its own. */
export interface Running extends AsyncDisposable {
  readonly collector: Collector
  readonly nats: NatsServer
  readonly databaseUrl: string
  readonly log: string[]
  /** Publishes lines as they are, and waits until NATS has them. */
  publish(subject: string, body: string): Promise<void>
  publishEvents(events: Parameters<typeof messageOf>[0]): Promise<void>
  get(path: string): Promise<{ status: number; type: string; body: never }>
}

/** Starts one; `settings` go over the tests' own. */
export async function startRunning(postgres: PostgresServer, settings: Partial<Config> = {}): Promise<Running> {
  const nats = await startNats()
  const databaseUrl = await postgres.createDatabase()
  const log: string[] = []
  const config = { ...testConfig(nats.url, databaseUrl), ...settings }
  const collector = await startCollector(config, createLog('warn', { write: (line) => void log.push(line) }), {
    migrate: true,
  })
  const publish = async (subject: string, body: string, msgID?: string) => {
    const connection = await connect({ servers: nats.url })
    try {
      const stream = jetstream(connection)
      // The stream is made by the collector, which may still be starting.
      await eventually(() => stream.publish(subject, body, msgID === undefined ? {} : { msgID }))
    } finally {
      await connection.close()
    }
  }
  return {
    collector,
    nats,
    databaseUrl,
    log,
    publish,
    async publishEvents(events) {
      const { subject, body, id } = messageOf(events)
      await publish(subject, body, id)
    },
    async get(path) {
      const response = await fetch(`${collector.url}${path}`)
      const type = response.headers.get('content-type') ?? ''
      const body = await (type.includes('json') ? response.json() : response.text())
      return { status: response.status, type, body: body as never }
    },
    async [Symbol.asyncDispose]() {
      await collector.stop().catch(() => {})
      await nats[Symbol.asyncDispose]()
    },
  }
}

/** Settings for servers of a test; any free port. */
export function testConfig(natsUrl: string, postgresUrl: string): Config {
  return {
    ...loadConfig(undefined, {
      WHOKILLED_NATS_URL: natsUrl,
      WHOKILLED_POSTGRES_URL: postgresUrl,
      WHOKILLED_HTTP_PORT: '0',
    }),
    postgresConnectionsMax: 4,
    // Tests ask again and again until something has come.
    httpRequestsPerMinuteMax: 1_000_000,
  }
}

const eventuallyDelayMaxMs = 20_000
const pollDelayMs = 25

/** The first value that `attempt` gives without throwing and, if `accept` is given, that it accepts. */
export async function eventually<T>(
  attempt: () => Promise<T> | T,
  accept: (value: T) => boolean = () => true,
): Promise<T> {
  const deadlineMs = Date.now() + eventuallyDelayMaxMs
  for (;;) {
    let last: unknown
    try {
      const value = await attempt()
      if (accept(value)) return value
      last = value
    } catch (error) {
      last = error
    }
    if (Date.now() > deadlineMs) {
      throw new Error(
        `waited ${eventuallyDelayMaxMs} ms in vain; last: ${last instanceof Error ? last.stack : JSON.stringify(last)}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, pollDelayMs))
  }
}
