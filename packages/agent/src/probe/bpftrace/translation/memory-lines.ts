import { readPiece } from './pieces.ts'
import type { Draft, PrintedLine } from './printed-line.ts'
import { readProcess } from './process-words.ts'
import type { Words } from './words.ts'

/** Bytes of a line of the kernel's log that the probe passes on, and how many eight-byte words of them on one line. */
const logBytesMax = 1_024
export const logWords = 16

/** The OOM killer has chosen a victim, which follows. */
export function readOom(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('oom', words)
  draft.fields.tpid = words.int()
  return { kind: 'fact', cpu, n, lines: 1, draft }
}

export function readVictim(words: Words): PrintedLine {
  const [cpu, n, of, tid, found] = [words.int(), words.int(), words.int(), words.int(), words.int()]
  const victim = { tpid: words.int(), tstart: words.big(), tcomm: words.name(2) }
  const addTo = (draft: Draft) => void Object.assign(draft.fields, found === tid && victim)
  return { kind: 'continuation', cpu, n, of, addTo }
}

/** A line of the kernel's log, or a piece of one; what does not fit on the first line follows. */
export function readLog(words: Words): PrintedLine {
  const [cpu, n, time, pid, tid, start] = [words.int(), words.int(), words.big(), words.int(), words.int(), words.big()]
  const logBytes = Math.min(words.int(), logBytesMax)
  const first = { at: 0, bytes: words.bytes(logWords).slice(0, logBytes) }
  const lines = Math.max(0, Math.ceil(logBytes / (8 * logWords)) - 1)
  return {
    kind: 'fact',
    cpu,
    n,
    lines,
    draft: { type: 'log', time, fields: { pid, tid, start }, logBytes, log: [first] },
  }
}

export function readLogPiece(words: Words): PrintedLine {
  return readPiece(words, logWords, (draft) => ({ pieces: draft.log, total: draft.logBytes }))
}
