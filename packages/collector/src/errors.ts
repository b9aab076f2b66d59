/**
 * An error for the person at the keyboard: a stable code, what was expected and what came,
 * and the next step to take.
 */
export class CollectorError extends Error {
  readonly code: string
  readonly hint: string

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.hint = hint
  }
}

/** A setting that is wrong or missing: CONFIG_UNREADABLE, CONFIG_NOT_JSON, CONFIG_INVALID, SECRET_UNREADABLE. */
export class ConfigError extends CollectorError {}

/** Postgres cannot be reached, or refuses the migration: POSTGRES_UNREACHABLE, MIGRATION_FAILED. */
export class DatabaseError extends CollectorError {}

/** The database's tables are not the ones that this program needs: SCHEMA_OLD, SCHEMA_NEW. */
export class SchemaError extends CollectorError {}

/** The HTTP server cannot listen: PORT_IN_USE, LISTEN_FAILED. */
export class ListenError extends CollectorError {}
