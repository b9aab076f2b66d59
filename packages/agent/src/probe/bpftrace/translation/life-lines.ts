import type { PathInfo } from './path-lines.ts'
import { readPiece } from './pieces.ts'
import type { Draft, PrintedLine } from './printed-line.ts'
import { readProcess } from './process-words.ts'
import type { Words } from './words.ts'

/** Bytes of file names and arguments that the probe passes on, and how many eight-byte words of them on one line. */
const fileBytesMax = 4_096
const argumentBytesMax = 8_192
export const fileWords = 8
export const argumentWords = 16

export function readFork(words: Words): PrintedLine {
  const [cpu, n, time, pid, found] = [words.int(), words.int(), words.big(), words.int(), words.int()]
  const child = { start: words.big(), nspid: words.int(), nsid: words.int() }
  const maker = { ppid: words.int(), ptid: words.int(), pstart: words.big() }
  const parent = { ppid: words.int(), pstart: words.big() }
  // A child made with CLONE_PARENT is a sibling of its maker: then the parent is another process.
  const isSibling = found === pid && parent.ppid !== maker.ppid
  const fields = { pid, ...(found === pid && child), ...(isSibling ? parent : maker) }
  return { kind: 'fact', cpu, n, lines: 0, draft: { type: 'fork', time, fields } }
}

/** A program was executed; its name and arguments follow, its path came before. */
export function readExec(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('exec', words)
  const [oldtid, fileBytes, argn] = [words.int(), words.int(), words.int()]
  draft.fields = { ...draft.fields, oldtid, argn }
  const more: Partial<Draft> = { path: readPathInfo(words.int()), fileBytes, file: [], argv: [] }
  return { kind: 'fact', cpu, n, lines: linesOfExec(fileBytes, argn), draft: { ...draft, ...more } }
}

/** The number that a fact has for the path before it: lines, and flags. */
export function readPathInfo(word: number): PathInfo {
  return { lines: word >> 8, isWhole: (word & 1) === 0, isDeleted: (word & 2) !== 0 }
}

function linesOfExec(fileBytes: number, argn: number): number {
  const lines = (bytes: number, max: number, words: number) => Math.ceil(Math.min(bytes, max) / (8 * words))
  return lines(fileBytes, fileBytesMax, fileWords) + lines(argn, argumentBytesMax, argumentWords)
}

export function readFilePiece(words: Words): PrintedLine {
  return readPiece(words, fileWords, (draft) => ({ pieces: draft.file, total: draft.fileBytes }))
}

export function readArgumentPiece(words: Words): PrintedLine {
  return readPiece(words, argumentWords, (draft) => ({ pieces: draft.argv, total: draft.fields.argn as number }))
}

export function readExit(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('exit', words)
  Object.assign(draft.fields, { code: words.int(), seccomp: words.int() })
  return { kind: 'fact', cpu, n, lines: 0, draft }
}
