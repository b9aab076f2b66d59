import {
  argumentWords,
  fileWords,
  readArgumentPiece,
  readExec,
  readExit,
  readFilePiece,
  readFork,
} from './life-lines.ts'
import { logWords, readLog, readLogPiece, readOom, readVictim } from './memory-lines.ts'
import { readOpen, readPath } from './open-lines.ts'
import { partBytes, partsOnLine } from './path-lines.ts'
import type { PrintedLine } from './printed-line.ts'
import { processWords } from './process-words.ts'
import { readFailed, readSignal, readTarget } from './signal-lines.ts'
import { Words, wordsOf } from './words.ts'

/** Reads one printed line; undefined if the probe prints no such line. */
export function readPrinted(line: string): PrintedLine | undefined {
  const count = /^@n\[(\d+)\]: (\d+)$/.exec(line)
  if (count !== null) return { kind: 'count', cpu: Number(count[1]), n: Number(count[2]) }
  const lost = /^Lost (\d+) events$/.exec(line)
  if (lost !== null) return { kind: 'lost', events: Number(lost[1]) }
  const split = wordsOf(line)
  if (split === undefined) return undefined
  const shape = shapes.get(split.letter)
  if (shape === undefined || split.words.length !== shape.words) return undefined
  return shape.read(new Words(split.words))
}

interface Shape {
  /** How many words follow the letter. */
  readonly words: number
  readonly read: (words: Words) => PrintedLine
}

const shapes: ReadonlyMap<string, Shape> = new Map([
  ['B', { words: 6, read: readBegin }],
  ['F', { words: 13, read: readFork }],
  ['X', { words: processWords + 4, read: readExec }],
  ['E', { words: processWords + 2, read: readExit }],
  ['S', { words: processWords + 10, read: readSignal }],
  ['K', { words: processWords + 4, read: readFailed }],
  ['O', { words: processWords + 1, read: readOom }],
  ['P', { words: processWords + 5, read: readOpen }],
  ['L', { words: 7 + logWords, read: readLog }],
  ['H', { words: 3, read: readHeartbeat }],
  ['N', { words: 4 + fileWords, read: readFilePiece }],
  ['A', { words: 4 + argumentWords, read: readArgumentPiece }],
  ['M', { words: 4 + logWords, read: readLogPiece }],
  ['T', { words: 16, read: readTarget }],
  ['V', { words: 9, read: readVictim }],
  ['D', { words: 2 + partsOnLine * (1 + partBytes / 8), read: readPath }],
  ['G', { words: 6 + fileWords, read: readGroup }],
])

function readBegin(words: Words): PrintedLine {
  const [time, bootOffset] = [words.big(), words.big() - words.big()]
  const offsets = { commOffset: words.int(), mountOffset: words.int() }
  return { kind: 'begin', time, bootOffset, ...offsets, reader: words.int() }
}

function readHeartbeat(words: Words): PrintedLine {
  const [cpu, n, time] = [words.int(), words.int(), words.big()]
  return { kind: 'fact', cpu, n, lines: 0, draft: { type: 'heartbeat', time, fields: {} } }
}

function readGroup(words: Words): PrintedLine {
  const [cpu, n, hierarchy, id] = [words.int(), words.int(), words.int(), words.big()]
  const [at, total] = [words.int(), words.int()]
  const bytes = words.bytes(fileWords).slice(0, Math.max(0, total - at))
  return { kind: 'group', cpu, n, hierarchy, id, path: { at, bytes }, isLast: at + bytes.length >= total }
}
