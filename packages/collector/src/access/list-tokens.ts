import type pg from 'pg'
import { iso } from '../query/timestamps.ts'
import type { Scope } from './token.ts'

/** What is known of a token; times in ISO 8601, null: never. */
export interface TokenRow {
  readonly name: string
  readonly scope: Scope
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly revokedAt: string | null
  /** By the database's clock. */
  readonly state: 'good' | 'expired' | 'revoked'
}

/** All tokens by name, those of one name oldest first. */
export async function listTokens(database: pg.Pool): Promise<TokenRow[]> {
  const { rows } = await database.query<TokenRow>(sql)
  return rows
}

const sql = `
  select name, scope, ${iso('created_at')} as "createdAt", ${iso('expires_at')} as "expiresAt",
    ${iso('last_used_at')} as "lastUsedAt", ${iso('revoked_at')} as "revokedAt",
    case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'good' end as state
  from tokens
  order by name, created_at`
