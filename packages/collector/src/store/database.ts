import pg from 'pg'
import { connectOptions } from './connect-options.ts'
import type { PostgresTlsSettings } from './postgres-settings.ts'

/** A query that takes longer than this is ended by the server. */
const statementDelayMaxMs = 30_000
const connectDelayMaxMs = 5_000
/** So is a transaction whose collector is silent for as long: it holds locks that every other collector waits for. */
const idleDelayMaxMs = 10_000

/**
 * Connects when first asked. Errors of idle connections (the server has gone) are passed to `lost`; the next query
 * connects again. Throws a ConfigError or CodedError if the settings of TLS, or the files they name, cannot be used.
 */
export function openDatabase(
  settings: PostgresTlsSettings & { readonly postgresUrl: string },
  connectionsMax: number,
  lost: (error: Error) => void,
): pg.Pool {
  const pool = new pg.Pool({
    ...connectOptions(settings.postgresUrl, settings),
    max: connectionsMax,
    application_name: 'whokilled-collector',
    connectionTimeoutMillis: connectDelayMaxMs,
    statement_timeout: statementDelayMaxMs,
    // A server that has vanished from the network never answers: give up a little after it would have.
    query_timeout: statementDelayMaxMs + connectDelayMaxMs,
    idle_in_transaction_session_timeout: idleDelayMaxMs,
    options: '-c timezone=UTC',
  })
  pool.on('error', lost)
  // A connection can break while it is being handed over, when neither the pool nor whoever asked for it listens: an
  // error that nobody listens to ends the process. The next query on it rejects, and the pool drops it.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Runs `work` in one transaction on one connection. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/**
 * True if Postgres refused the data itself, so that trying again is of no use: SQLSTATE class 22 (data exception),
 * 23 (constraint), 54 (a limit of the program, such as an index row's size).
 */
export function isRefusedData(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|54)/.test(error.code ?? '')
}
