/**
 * Text that came from a process, made safe to print on a terminal or in one line of a log: a program may put
 * an escape sequence, a line break or a change of writing direction in its name to hide itself or to forge
 * what is printed beside it. Control characters, invisible format characters (which include the bidirectional
 * ones), line and paragraph separators and lone surrogates are shown as `\x1b` or `\u202e`; all else stays.
 * Applied twice it changes nothing more.
 */
export function terminalText(text: string): string {
  return text.replace(unprintable, visibleEscape)
}

/** True if `terminalText` would change it. */
export function hasUnprintable(text: string): boolean {
  return text.search(unprintable) !== -1
}

/** The first `lengthMax` characters of a text, the last one of them `…` if it was longer. */
export function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  const characters = Array.from(text)
  return characters.length <= lengthMax ? text : `${characters.slice(0, lengthMax - 1).join('')}…`
}

/** Unicode's general categories: control, format, surrogate, line separator, paragraph separator. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

function visibleEscape(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0
  const digits = codePoint.toString(16)
  if (codePoint < 0x100) return `\\x${digits.padStart(2, '0')}`
  return codePoint < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}
