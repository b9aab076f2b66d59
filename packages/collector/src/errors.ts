import { CodedError } from '@whokilled/shared/coded-error'

/** What every error of the collector is. */
export class CollectorError extends CodedError {}

/** A setting that is wrong or missing: config-unreadable, config-not-json, config-invalid, secret-unreadable. */
export class ConfigError extends CollectorError {}

/** Postgres cannot be reached, or refuses the migration: postgres-unreachable, migration-failed. */
export class DatabaseError extends CollectorError {}

/** The database's tables are not the ones that this program needs: schema-old, schema-new. */
export class SchemaError extends CollectorError {}

/** The HTTP server cannot listen: port-in-use, listen-failed. */
export class ListenError extends CollectorError {}

/** A command's argument that cannot be: bad-token-name, bad-token-expiry, token-exists, no-such-token, … */
export class UsageError extends CollectorError {}

/** NATS cannot be used: the codes of nats-problem.ts in shared, stream-missing, stream-settings. */
export class NatsError extends CollectorError {}

/** The users of nats-server cannot be read or changed: users-unreadable, users-not-ours, users-locked, … */
export class IdentityError extends CollectorError {}
