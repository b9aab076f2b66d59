import type pg from 'pg'
import { UsageError } from '../errors.ts'
import { digestOf, newToken, type Scope } from './token.ts'

/** A token to make; `expiresSeconds` null: it never expires. */
export interface TokenWish {
  readonly name: string
  readonly scope: Scope
  readonly expiresSeconds: number | null
}

/** Makes a token and keeps its digest; the token, which is never to be had again. Throws a UsageError. */
export async function addToken(database: pg.Pool, { name, scope, expiresSeconds }: TokenWish): Promise<string> {
  const token = newToken()
  const { rowCount } = await database.query(sql, [digestOf(token), name, scope, expiresSeconds])
  if (rowCount === 1) return token
  throw new UsageError(
    'token-exists',
    `expected a new name, "${name}" has a token that is not revoked`,
    `Choose another name, or first: whokilled-collector token revoke ${name}`,
  )
}

const sql = `
  insert into tokens (digest, name, scope, expires_at)
  values ($1, $2, $3, now() + $4 * interval '1 second')
  on conflict (name) where revoked_at is null do nothing`
