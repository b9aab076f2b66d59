import { CodedError } from '@whokilled/shared/coded-error'

/** What every error of the collector is. */
export class CollectorError extends CodedError {}

/** A setting that is wrong or missing: CONFIG_UNREADABLE, CONFIG_NOT_JSON, CONFIG_INVALID, SECRET_UNREADABLE. */
export class ConfigError extends CollectorError {}

/** Postgres cannot be reached, or refuses the migration: POSTGRES_UNREACHABLE, MIGRATION_FAILED. */
export class DatabaseError extends CollectorError {}

/** The database's tables are not the ones that this program needs: SCHEMA_OLD, SCHEMA_NEW. */
export class SchemaError extends CollectorError {}

/** The HTTP server cannot listen: PORT_IN_USE, LISTEN_FAILED. */
export class ListenError extends CollectorError {}
