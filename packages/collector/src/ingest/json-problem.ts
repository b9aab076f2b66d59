/** Why an object that was sent cannot be an event, whatever its type. */
export interface JsonProblem {
  readonly reason: 'schema' | 'not-storable'
  readonly detail: string
  /** What it says of itself may be looked at. */
  readonly isReadable: boolean
}

/** JSON.stringify fails on a few thousand: whoever asked for such an event could not be answered. */
const levelsMax = 64
/**
 * Arrays and objects in an event. A death has a few for each process it names; without a limit a quarter of a
 * megabyte of `{}` keeps the schema busy for seconds, and makes it tell of a million mistakes.
 */
const partsMax = 10_000

/** Looks at an object before its shape is looked at: what would cost too much, and what Postgres cannot hold. */
export function jsonProblem(value: object, json: string): JsonProblem | undefined {
  const size = sizeOf(value)
  if (size.levels > levelsMax) {
    return { reason: 'schema', detail: `expected at most ${levelsMax} levels of nesting`, isReadable: false }
  }
  if (size.parts > partsMax) {
    return { reason: 'schema', detail: `expected at most ${partsMax} arrays and objects`, isReadable: false }
  }
  if (hasHugeNumber(json)) {
    return { reason: 'not-storable', detail: `expected numbers of few digits, got one of many`, isReadable: true }
  }
  // Rarely there, and quickly found not to be.
  if (!/\\u(?:0000|[dD][89a-fA-F])/.test(json) || hasStorableTexts(value)) return undefined
  return { reason: 'not-storable', detail: 'expected texts without \\u0000 and half surrogate pairs', isReadable: true }
}

/** Postgres has no place for NUL in a text, and none for half a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text)
}

/**
 * Postgres keeps numbers with all their digits and writes them out: 1e131071 is 8 bytes here and 128 KiB in an answer.
 * No number of JavaScript's has a longer exponent, or more digits, than these. What looks like one may stand in a text.
 */
function hasHugeNumber(json: string): boolean {
  if (!/[:,[\s]-?(?:[\d.]{40}|[\d.]+[eE][+-]?\d{3})/.test(json)) return false
  return /-?(?:[\d.]{40}|[\d.]+[eE][+-]?\d{3})/.test(json.replace(/"(?:[^"\\]|\\.)*"/g, '""'))
}

/** Stops counting where it is too much. */
function sizeOf(value: object): { levels: number; parts: number } {
  let parts = 0
  let levels = 0
  const follow = (each: unknown, level: number): void => {
    if (typeof each !== 'object' || each === null || parts > partsMax || levels > levelsMax) return
    parts += 1
    levels = Math.max(levels, level)
    for (const inner of Object.values(each)) follow(inner, level + 1)
  }
  follow(value, 1)
  return { levels, parts }
}

function hasStorableTexts(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, inner]) => isStorableText(key) && hasStorableTexts(inner))
}
