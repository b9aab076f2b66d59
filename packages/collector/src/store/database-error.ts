import { CodedError } from '@whokilled/shared/coded-error'
import { tlsProblem } from '@whokilled/shared/tls-problem'
import { DatabaseError } from '../errors.ts'

/**
 * What it means that Postgres cannot be connected to: codes tls-…, postgres-refused (user or password),
 * postgres-unreachable. What has a code of ours stays as it is.
 *
 * @param place host, port and database: what may be shown of a URL
 */
export function connectError(error: unknown, place: string): CodedError {
  if (error instanceof CodedError) return error
  const tls = tlsProblem(error, { name: 'Postgres', prefix: 'postgres' })
  if (tls !== undefined) return new DatabaseError(tls.code, tls.message, tls.hint, { cause: error })
  // SQLSTATE class 28: invalid authorization. https://www.postgresql.org/docs/current/errcodes-appendix.html
  const isRefused = /^28/.test(String((error as { code?: unknown }).code ?? ''))
  return new DatabaseError(
    isRefused ? 'postgres-refused' : 'postgres-unreachable',
    `expected to connect to Postgres at ${place}, got: ${wordsOf(error)}`,
    'Check that Postgres runs there, and the user and password in postgresUrl (of migrate: in postgresAdminUrl, if set).',
    { cause: error },
  )
}

/** The words of an error and of those within. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
