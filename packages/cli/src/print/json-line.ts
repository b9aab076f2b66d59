/**
 * A value as one line of JSON. Characters that a terminal would obey, which JSON itself lets stand, are written as
 * escapes; the value stays the same.
 */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, unicodeEscape)}\n`
}

/** JSON escapes UTF-16 units, so a character beyond them is two. */
function unicodeEscape(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('')
}
