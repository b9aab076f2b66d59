import type pg from 'pg'

/**
 * The schema as text, from the catalogs alone (pg_dump does not come with the tests' Postgres): the same on every
 * version from 15 on. Partitions other than the default ones are left out, because they depend on the date.
 */
export async function dumpSchema(database: pg.Pool): Promise<string> {
  const parts: string[] = []
  for (const { name, oid, partition_key, parent } of (await database.query(tables)).rows) {
    const of = parent === null ? '' : ` partition of ${parent}`
    const by = partition_key === null ? '' : ` partition by ${partition_key}`
    const lines = [
      ...(await database.query(columns, [oid])).rows.map(({ line }) => line),
      ...(await database.query(constraints, [oid])).rows.map(({ line }) => line),
    ]
    parts.push(`create table ${name}${of} (\n${lines.map((line) => `  ${line}`).join(',\n')}\n)${by};`)
    for (const { line } of (await database.query(indexes, [oid])).rows) parts.push(`${line};`)
    for (const { line } of (await database.query(comments, [oid])).rows) parts.push(`${line};`)
  }
  for (const { line } of (await database.query(functions)).rows) parts.push(line)
  return `-- Made from the migrations by packages/collector/test/schema.test.ts; do not edit.\n\n${parts.join('\n\n')}\n`
}

const tables = `
  select c.relname as name, c.oid, pg_get_partkeydef(c.oid) as partition_key, p.relname as parent
  from pg_class c
    left join pg_inherits i on i.inhrelid = c.oid
    left join pg_class p on p.oid = i.inhparent
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname !~ '_[0-9]{8}$'
  order by coalesce(p.relname, c.relname), p.relname is not null, c.relname`

const columns = `
  select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
    || case when a.attnotnull then ' not null' else '' end
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as line
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
  order by a.attnum`

// From Postgres 18 on "not null" is a constraint too; the columns tell it already.
const constraints = `
  select format('constraint %I %s', conname, pg_get_constraintdef(oid)) as line
  from pg_constraint where conrelid = $1 and contype <> 'n'
  order by conname`

const indexes = `
  select replace(pg_get_indexdef(indexrelid), ' public.', ' ') as line
  from pg_index
  where indrelid = $1 and not exists (select from pg_constraint where conindid = indexrelid)
  order by indexrelid::regclass::text`

const comments = `
  select format('comment on %s is %L',
    case when objsubid = 0 then 'table ' || objoid::regclass else format('column %s.%I', objoid::regclass, attname) end,
    description) as line
  from pg_description left join pg_attribute on attrelid = objoid and attnum = objsubid
  where classoid = 'pg_class'::regclass and objoid = $1
  order by objsubid`

const functions = `
  select replace(pg_get_functiondef(oid), 'FUNCTION public.', 'FUNCTION ') as line
  from pg_proc where pronamespace = 'public'::regnamespace
  order by proname`
