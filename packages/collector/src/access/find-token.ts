import type pg from 'pg'
import type { Scope } from './token.ts'

/** A token that was shown, as the database knows it. */
export interface KnownToken {
  readonly name: string
  readonly scope: Scope
  readonly expiresAt: Date | null
  readonly state: 'good' | 'expired' | 'revoked'
  /** Its use was noted more than a minute ago, or never. */
  readonly useIsOld: boolean
}

/** The token with this digest, or undefined. */
export async function findToken(database: pg.Pool, digest: Buffer): Promise<KnownToken | undefined> {
  const { rows } = await database.query<KnownToken>(find, [digest])
  return rows[0]
}

/** Notes that the token was used, unless that was noted within the last minute. */
export async function noteTokenUse(database: pg.Pool, digest: Buffer): Promise<void> {
  await database.query(note, [digest])
}

const isOld = `(last_used_at is null or last_used_at < now() - interval '1 minute')`

const find = `
  select name, scope, expires_at as "expiresAt", ${isOld} as "useIsOld",
    case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'good' end as state
  from tokens where digest = $1`

const note = `update tokens set last_used_at = now() where digest = $1 and ${isOld}`
