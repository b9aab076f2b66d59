import { nearestWord } from '@whokilled/shared/settings'
import type pg from 'pg'
import { UsageError } from '../errors.ts'

/** Revokes the token of that name: the next request with it is refused. Throws a UsageError if there is none. */
export async function revokeToken(database: pg.Pool, name: string): Promise<void> {
  const { rowCount } = await database.query(
    'update tokens set revoked_at = now() where name = $1 and revoked_at is null',
    [name],
  )
  if (rowCount === 1) return
  const { rows } = await database.query<{ name: string }>('select name from tokens where revoked_at is null')
  const nearest = nearestWord(
    name,
    rows.map((row) => row.name),
  )
  throw new UsageError(
    'no-such-token',
    `expected the name of a token that is not revoked, got "${name.slice(0, 64)}"`,
    nearest === undefined ? 'whokilled-collector token list shows them.' : `Did you mean ${nearest}?`,
  )
}
