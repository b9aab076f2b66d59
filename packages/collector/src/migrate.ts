import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import { DatabaseError, SchemaError } from './errors.ts'
import { connectOptions } from './store/connect-options.ts'
import { connectError, wordsOf } from './store/database-error.ts'
import { grantRuntime } from './store/grant-runtime.ts'
import type { PostgresTlsSettings } from './store/postgres-settings.ts'

/** Plain SQL, forward only, one transaction each, named by their number. */
const folder = fileURLToPath(new URL('../migrations', import.meta.url))
const table = 'migrations'

/** Where the tables are, and who owns them. */
export interface MigrateSettings extends PostgresTlsSettings {
  /** Whose user stores and answers. */
  readonly postgresUrl: string
  /** Whose user owns the tables, where that is another one. */
  readonly postgresAdminUrl?: string | undefined
}

/**
 * Brings the database's tables up to this program's version; the names of the migrations that were run. Where another
 * user owns them, the one that stores and answers is then given the rights it needs. Two at a time wait for each other.
 */
export async function migrate(settings: MigrateSettings): Promise<string[]> {
  const { postgresUrl, postgresAdminUrl = postgresUrl } = settings
  const client = new pg.Client({
    ...connectOptions(postgresAdminUrl, settings),
    application_name: 'whokilled-migrate',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {}) // The query that was running rejects with the same error.
  try {
    await client.connect()
  } catch (cause) {
    throw connectError(cause, placeOf(client))
  }
  const runtimeRole = new pg.Client(connectOptions(postgresUrl, settings)).user
  try {
    const done = await runner({
      dbClient: client,
      dir: folder,
      direction: 'up',
      migrationsTable: table,
      advisoryLockMode: 'wait',
      singleTransaction: false,
      logger: { info: () => {}, warn: () => {}, error: () => {} },
    })
    if (runtimeRole !== undefined && runtimeRole !== client.user) await grantRuntime(client, runtimeRole)
    return done.map(({ name }) => name)
  } catch (cause) {
    throw new DatabaseError(
      'migration-failed',
      `expected the migration to succeed, Postgres said: ${firstLine(wordsOf(cause))}`,
      'The failed migration was rolled back. Its user needs CREATE on the schema public: where that of postgresUrl shall not have it, name another in postgresAdminUrl. docs/security.md tells how both are made.',
      { cause },
    )
  } finally {
    await client.end()
  }
}

/** Where the tables of migrations cannot be made, the library puts a stack into its message. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

/** Throws a SchemaError if the tables are older or newer than this program. */
export async function checkSchema(database: pg.Pool): Promise<void> {
  const expected = await migrationNames()
  const found = await appliedNames(database)
  const missing = expected.filter((name) => !found.includes(name))
  if (missing.length > 0) {
    throw new SchemaError(
      'schema-old',
      `expected the database at migration ${expected.at(-1)}, found ${found.at(-1) ?? 'none'}`,
      'Run: whokilled-collector migrate (or start with run --migrate).',
    )
  }
  const unknown = found.filter((name) => !expected.includes(name))
  if (unknown.length > 0) {
    throw new SchemaError(
      'schema-new',
      `expected the database at migration ${expected.at(-1)}, found ${unknown.at(-1)}`,
      'A newer collector has migrated this database: install that version here too.',
    )
  }
}

async function migrationNames(): Promise<string[]> {
  const files = await readdir(folder)
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort()
}

async function appliedNames(database: pg.Pool): Promise<string[]> {
  const exists = await database.query<{ found: boolean }>(`select to_regclass($1) is not null as found`, [table])
  if (exists.rows[0]?.found !== true) return []
  const { rows } = await database.query<{ name: string }>(`select name from ${table} order by id`)
  return rows.map(({ name }) => name)
}

/** Host, port and database: what may be shown of a URL. */
function placeOf(client: pg.Client): string {
  return `${client.host}:${client.port}/${client.database ?? ''}`
}
