/** How a name is looked for: one of `exact`, or `like` (a pattern of SQL); null: not that way. */
export interface NameCondition {
  readonly exact: readonly string[] | null
  readonly like: string | null
}

/** Any name. */
const anyName: NameCondition = { exact: null, like: null }

/** `nginx` is nginx or nginx.service; with `*` it is a pattern. */
export function serviceCondition(name: string | undefined): NameCondition {
  if (name === undefined) return anyName
  return name.includes('*') ? pattern(name) : { exact: [name, `${name}.service`], like: null }
}

/** `web-3`, or a pattern with `*`. */
export function hostCondition(name: string | undefined): NameCondition {
  if (name === undefined) return anyName
  return name.includes('*') ? pattern(name) : { exact: [name], like: null }
}

function pattern(glob: string): NameCondition {
  return { exact: null, like: glob.replace(/[\\%_]/g, '\\$&').replace(/\*+/g, '%') }
}

/** SQL that writes a host's name as its subjects do: `hostToken` of packages/shared/src/subjects.ts. */
export function tokenOf(name: string): string {
  const byte = `substring(convert_to(${name}, 'UTF8') from place for 1)`
  const written = `case when encode(${byte}, 'escape') ~ '^[A-Za-z0-9_-]$' then encode(${byte}, 'escape')
    else '%' || upper(encode(${byte}, 'hex')) end`
  return `(select string_agg(${written}, '' order by place) from generate_series(1, octet_length(${name})) as place)`
}
