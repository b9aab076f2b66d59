import type pg from 'pg'

/**
 * Lets a role store and answer, and no more: rows of all tables may be read and written, those of `migrations` only
 * read; tables are made and dropped by the two functions alone. Rejects with Postgres' error if there is no such role.
 */
export async function grantRuntime(client: pg.Client, role: string): Promise<void> {
  const to = client.escapeIdentifier(role)
  await client.query('begin')
  try {
    await client.query(`grant usage on schema public to ${to}`)
    await client.query(`grant select, insert, update, delete on all tables in schema public to ${to}`)
    await client.query(`grant usage on all sequences in schema public to ${to}`)
    await client.query(`revoke insert, update, delete on migrations from ${to}`)
    await client.query(
      `grant execute on function make_partition(regclass, timestamptz), drop_partitions(regclass, date) to ${to}`,
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}
