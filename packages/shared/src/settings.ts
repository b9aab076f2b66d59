import { z } from 'zod'

/** Settings as a schema understood them, or what is wrong with each that it did not. */
export type ParsedSettings<S extends z.ZodObject> =
  | { readonly settings: z.output<S> }
  | { readonly problems: readonly string[] }

/** The path of a file that holds a URL; the URL itself, which may hold a password, would be told as a path. */
export const urlFile = z
  .string()
  .min(1)
  .refine((path) => !path.includes('://'), 'expected the path of a file that holds the URL, not the URL')
  .optional()

/**
 * Parses settings with a strict schema. Each problem names the setting, what was expected and what came; an unknown
 * key names the nearest known one. No problem repeats a text that was written, because it may be a secret.
 */
export function parseSettings<S extends z.ZodObject>(schema: S, written: unknown): ParsedSettings<S> {
  const parsed = schema.safeParse(written)
  if (parsed.success) return { settings: parsed.data }
  return { problems: parsed.error.issues.flatMap((issue) => problemsOf(issue, schema, written)) }
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType, written: unknown): string[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path)
    return issue.keys.map((key) => {
      const nearest = nearestWord(key, known)
      const remedy = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${nearest}?`
      return `unknown setting ${[...path, key].join('.')}, ${remedy}`
    })
  }
  const received = path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], written)
  const shown = shownValue(received)
  const got = issue.code === 'invalid_type' || received === undefined ? '' : `, received ${shown}`
  return [`${path.join('.')}: ${issue.message}${got}`]
}

function shownValue(received: unknown): string {
  if (typeof received === 'string') return 'another text'
  if (Array.isArray(received)) return 'a list'
  return typeof received === 'object' && received !== null ? 'an object' : JSON.stringify(received)
}

/** The keys that the schema knows at a place. */
function keysAt(schema: z.ZodType, path: readonly string[]): string[] {
  let at: z.ZodType = schema
  for (const key of ['', ...path]) {
    if (at instanceof z.ZodObject && key !== '') at = at.shape[key] as z.ZodType
    else if (at instanceof z.ZodArray) at = at.element as z.ZodType
    while (
      at instanceof z.ZodDefault ||
      at instanceof z.ZodOptional ||
      at instanceof z.ZodPrefault ||
      at instanceof z.ZodNullable
    ) {
      at = at.unwrap() as z.ZodType
    }
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

/** The word that a mistyped one was most likely meant to be, or undefined if none is near. */
export function nearestWord(typed: string, known: readonly string[]): string | undefined {
  const distanceMax = Math.max(1, Math.floor(typed.length / 3))
  const ranked = known
    .map((word) => ({ word, distance: editDistance(typed.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= distanceMax ? best.word : undefined
}

/** Levenshtein's distance: insertions, deletions and substitutions. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
