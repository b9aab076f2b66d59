import type { ConsumerMessages } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type pg from 'pg'
import { TokenCheck } from './access/token-check.ts'
import { retry } from './backoff.ts'
import { answerClockRequests } from './clock/answer-requests.ts'
import { FleetClock } from './clock/fleet-clock.ts'
import type { Config } from './config.ts'
import { SchemaError } from './errors.ts'
import { keepHouse } from './housekeeping.ts'
import { checkAccess } from './http/access-rules.ts'
import { listen } from './http/listen.ts'
import { buildServer } from './http/server.ts'
import { Sockets } from './http/sockets.ts'
import { ingest } from './ingest/consume.ts'
import { connectNats } from './ingest/nats.ts'
import { openMessages } from './ingest/stream.ts'
import { setUpStream } from './ingest/stream-setup.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { checkSchema, migrate } from './migrate.ts'
import { Readiness } from './readiness.ts'
import { openDatabase } from './store/database.ts'
import { makePartitions } from './store/partitions.ts'
import { storeBatch } from './store/store-batch.ts'

/** A running collector. */
export interface Collector {
  /** Where it answers: `http://127.0.0.1:9137`. */
  readonly url: string
  /** Resolves when it was stopped; rejects if it cannot go on (the schema is not the right one). */
  readonly ended: Promise<void>
  /** Finishes the batch in hand and closes everything. */
  stop(): Promise<void>
  /** Reads the certificate of HTTPS anew; false: it has none. Throws a ConfigError, and goes on with the old one. */
  reloadCertificate(): boolean
}

/**
 * The line: consume → validate → store → acknowledge; HTTP, which answers from what is stored; and the fleet's clock.
 *
 * Rejects if it cannot listen. It does not need NATS or Postgres to start: it waits for them, and /readyz tells which
 * one is missing.
 */
export async function startCollector(config: Config, log: Log, options: { migrate: boolean }): Promise<Collector> {
  checkAccess(config)
  const metrics = createMetrics()
  const readiness = new Readiness()
  const stopping = new AbortController()
  const { signal } = stopping

  const lost = (error: Error) => log.warn({ err: error }, 'a connection to Postgres was lost')
  const database = openDatabase(config, storeConnections, lost)
  const answers = openDatabase(config, config.postgresConnectionsMax, lost)
  const sockets = new Sockets(config, metrics)
  const tokens = new TokenCheck(answers, () => metrics.tokenUsesNotNoted.inc())
  let wasConnected = false
  const http = await buildServer({ settings: config, tokens, database: answers, metrics, readiness, log }, sockets)
  const url = await listen(http, config)

  const ended = run().finally(async () => {
    await http.close()
    await Promise.all([database.end(), answers.end()])
  })
  ended.catch(() => {}) // Whoever holds the collector sees it in `ended`.
  return {
    url,
    ended,
    reloadCertificate: () => sockets.reload(),
    async stop() {
      stopping.abort()
      await ended
    },
  }

  async function run(): Promise<void> {
    let nats: NatsConnection | undefined
    try {
      await patiently('postgres', () => prepareDatabase(config, database, readiness, options.migrate))
      nats = await patiently('nats', () => connectNats(config, natsIs))
      const connection = nats
      const line = {
        config,
        metrics,
        log,
        openMessages: () => openStream(connection),
        store: storeBatch.bind(undefined, database),
        consuming: (yes: boolean) => readiness.consumingIs(yes),
      }
      const clock = new FleetClock(database)
      answerClockRequests(connection, clock, metrics)
      await Promise.all([
        ingest(line, signal),
        keepHouse({ config, metrics, log, database }, signal),
        clock.run(signal),
      ])
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      // Sends the last acknowledgements.
      if (nats !== undefined && !nats.isClosed()) await drain(nats)
    }
  }

  /** The log has each change once; attempts to connect for the first time are told by `patiently`. */
  function natsIs(problem: string | null): void {
    readiness.natsIs(problem)
    const isConnected = problem === null
    if (isConnected === wasConnected || signal.aborted) return
    wasConnected = isConnected
    if (isConnected) log.info('connected to NATS')
    else log.warn({ problem }, 'the connection to NATS is lost; trying again')
  }

  async function openStream(connection: NatsConnection): Promise<ConsumerMessages> {
    try {
      if (options.migrate) await lookAfterStream()
      return await openMessages(connection, config)
    } catch (error) {
      const { message, hint = '' } = error as Error & { hint?: string }
      readiness.consumingIs(false, `${message} ${hint}`.trim())
      throw error
    }
  }

  /** Whoever may not make the stream can still consume it. */
  async function lookAfterStream(): Promise<void> {
    try {
      const { made, differences } = await setUpStream(config, { change: false })
      if (made.length > 0) log.info({ made }, 'the stream was missing, and has been made')
      for (const difference of differences) log.warn({ difference }, 'the stream is not as the settings say')
    } catch (error) {
      log.warn({ err: error }, 'the stream cannot be looked after')
    }
  }

  function patiently<T>(server: 'nats' | 'postgres', attempt: () => Promise<T>): Promise<T> {
    return retry(attempt, {
      signal,
      retryable: (error) => !(error instanceof SchemaError),
      failed(error, delayMs) {
        metrics.retries.inc({ server })
        log.warn({ err: error, delayMs }, `${server} cannot be reached; trying again`)
      },
    })
  }
}

async function prepareDatabase(
  config: Config,
  database: pg.Pool,
  readiness: Readiness,
  mayMigrate: boolean,
): Promise<void> {
  if (mayMigrate) await migrate(config)
  try {
    await checkSchema(database)
  } catch (error) {
    if (error instanceof SchemaError) readiness.schemaIs(error.message)
    throw error
  }
  await makePartitions(database)
  readiness.schemaIs(null)
}

/** One for the batch in hand, one for housekeeping. */
const storeConnections = 2

const drainDelayMaxMs = 2_000

/** While NATS is away draining would wait for it to come back. */
async function drain(nats: NatsConnection): Promise<void> {
  const closed = nats.drain().catch(() => nats.close())
  const timer = setTimeout(() => void nats.close(), drainDelayMaxMs)
  await closed
  clearTimeout(timer)
}
