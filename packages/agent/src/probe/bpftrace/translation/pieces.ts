import type { Draft, Piece, PrintedLine } from './printed-line.ts'
import type { Words } from './words.ts'

/** Reads a line that continues a string. The last piece is printed with what lies behind it in memory, which is cut off. */
export function readPiece(
  words: Words,
  count: number,
  stringOf: (draft: Draft) => { pieces: Piece[] | undefined; total: number | undefined },
): PrintedLine {
  const [cpu, n, of, at, bytes] = [words.int(), words.int(), words.int(), words.int(), words.bytes(count)]
  const addTo = (draft: Draft) => {
    const { pieces, total = 0 } = stringOf(draft)
    pieces?.push({ at, bytes: bytes.slice(0, Math.max(0, total - at)) })
  }
  return { kind: 'continuation', cpu, n, of, addTo }
}

/** The whole string; undefined if a piece of it has not come. */
export function wholeOf(pieces: readonly Piece[], total: number): string | undefined {
  const bytes = pieces.map((piece) => piece.bytes).join('')
  return bytes.length === total ? bytes : undefined
}
