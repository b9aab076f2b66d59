/** SQL that writes a host's name as its subjects do: `hostToken` of packages/shared/src/subjects.ts. */
export function hostTokenOf(name: string): string {
  const byte = `substring(convert_to(${name}, 'UTF8') from place for 1)`
  const written = `case when encode(${byte}, 'escape') ~ '^[A-Za-z0-9_-]$' then encode(${byte}, 'escape')
    else '%' || upper(encode(${byte}, 'hex')) end`
  return `(select string_agg(${written}, '' order by place) from generate_series(1, octet_length(${name})) as place)`
}
