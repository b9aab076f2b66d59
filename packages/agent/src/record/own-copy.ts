/** So many texts of at most such a length are shared; when there are more, it begins anew. */
const textsMax = 4_096
const sharedLengthMax = 256

const texts = new Map<string, string>()

/**
 * The same byte string, without what it was cut out of: V8 keeps a part of a text as a reference into the whole, and so
 * one name of a process that is remembered would keep the whole chunk of lines in memory that it came with. Names repeat:
 * the copy of each is shared.
 */
export function ownCopy(bytes: string): string {
  if (bytes.length > sharedLengthMax) return copyOf(bytes)
  const known = texts.get(bytes)
  if (known !== undefined) return known
  if (texts.size >= textsMax) texts.clear()
  const copy = copyOf(bytes)
  texts.set(copy, copy)
  return copy
}

function copyOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('latin1')
}
