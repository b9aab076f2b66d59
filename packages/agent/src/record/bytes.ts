/**
 * Byte strings (one character a byte) and their two written forms: escaped, as in a line of the protocol,
 * and as text, as people and events see them.
 */

const plain = /^[\x21-\x5b\x5d-\x7e]*$/
const canonical = /^(?:[\x21-\x5b\x5d-\x7e]|\\x(?:[01][0-9a-f]|20|5c|7f|[89a-f][0-9a-f]))*$/

/** Writes bytes so that they cannot leave a field. */
export function escapeBytes(bytes: string): string {
  if (plain.test(bytes)) return bytes
  return bytes.replace(/[^\x21-\x5b\x5d-\x7e]/g, (byte) => `\\x${hexOf(byte.charCodeAt(0))}`)
}

/** Reads what escapeBytes wrote; undefined for any other form. */
export function unescapeBytes(written: string): string | undefined {
  if (plain.test(written)) return written
  if (!canonical.test(written)) return undefined
  return written.replace(/\\x(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Bytes as text: UTF-8 where they are that, `\xHH` for each byte that is not. */
export function textOf(bytes: string): string {
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes
  const buffer = Buffer.from(bytes, 'latin1')
  let text = ''
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceLength(buffer, at)
    text += length === 0 ? `\\x${hexOf(buffer[at] ?? 0)}` : buffer.toString('utf8', at, at + length)
    at += Math.max(length, 1)
  }
  return text
}

/** The bytes of a text, as a byte string. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** How many bytes the UTF-8 sequence at this place has; 0 if there is none (RFC 3629). */
function sequenceLength(buffer: Buffer, at: number): number {
  const first = buffer[at] ?? 0
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length < 2) return length
  const sequence = buffer.subarray(at, at + length)
  const decoded = sequence.toString('utf8')
  return sequence.length === length && Buffer.from(decoded, 'utf8').equals(sequence) ? length : 0
}
