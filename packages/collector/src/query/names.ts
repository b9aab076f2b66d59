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
