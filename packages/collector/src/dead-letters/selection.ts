import type { deadLetterReasons } from '@whokilled/shared/dead-letters-api'
import { hostToken } from '@whokilled/shared/subjects'

/** Which dead letters; what is undefined or null does not matter. */
export interface Selection {
  /** The first hexadecimal digits. */
  readonly digest: string | undefined
  readonly reason: (typeof deadLetterReasons)[number] | undefined
  /** As the subject names it; a name, or a pattern with `*`. */
  readonly host: string | undefined
  /** Put aside before this time, ISO 8601. */
  readonly before: string | null
}

/** SQL for `where`, of the parameters $1 to $4 that `selected` gives. */
export const isSelected = `(
    ($1::text is null or encode(digest, 'hex') like $1 || '%')
    and ($2::text is null or reason = $2)
    and ($3::text is null or subject like $3)
    and ($4::timestamptz is null or received_at < $4)
  )`

/** The parameters $1 to $4. */
export function selected({ digest, reason, host, before }: Selection): (string | null)[] {
  return [digest ?? null, reason ?? null, host === undefined ? null : subjectsOf(host), before]
}

/** A pattern of SQL for the subjects of the hosts that a name or pattern means. */
function subjectsOf(host: string): string {
  const pattern = host
    .split('*')
    .map((part) => hostToken(part).replace(/[\\%_]/g, '\\$&'))
    .join('%')
  return `whokilled.v1.${pattern}.%`
}
