import type pg from 'pg'
import type { Config } from '../config.ts'
import { DatabaseError } from '../errors.ts'
import { checkSchema } from '../migrate.ts'
import { openDatabase } from '../store/database.ts'

/** A command works alone. */
const connectionsMax = 2

/** Does `work` with the database, once its tables are the ones that this program needs. Throws a DatabaseError. */
export async function withDatabase<T>(config: Config, work: (database: pg.Pool) => Promise<T>): Promise<T> {
  const database = openDatabase(config, connectionsMax, () => {}) // The query that comes next rejects.
  try {
    await checkSchema(database).catch(explain)
    return await work(database)
  } finally {
    await database.end()
  }
}

function explain(cause: Error): never {
  if (cause instanceof AggregateError || !('hint' in cause)) {
    const words =
      cause instanceof AggregateError ? cause.errors.map(({ message }) => message).join(', ') : cause.message
    throw new DatabaseError(
      'postgres-unreachable',
      `expected to ask Postgres, got: ${words}`,
      'Check that Postgres runs, and the address, user and password in postgresUrl.',
      { cause },
    )
  }
  throw cause
}
