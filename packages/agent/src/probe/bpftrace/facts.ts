import { contextOfSignal } from './signal.ts'
import { Words, wordsOf } from './words.ts'

/** What probes/whokilled.bt prints, line by line; the line protocol is made from it in encode.ts. */
export type PrintedLine =
  | { readonly kind: 'begin'; readonly time: bigint; readonly bootOffset: bigint; readonly commOffset: number }
  | Fact
  | Continuation
  | {
      readonly kind: 'group'
      readonly cpu: number
      readonly n: number
      readonly id: bigint
      readonly path: Piece
      readonly isLast: boolean
    }
  | { readonly kind: 'count'; readonly cpu: number; readonly n: number }
  | { readonly kind: 'lost'; readonly events: number }

/** A kernel fact, to which `lines` further lines of the same processor belong. */
export interface Fact {
  readonly kind: 'fact'
  readonly cpu: number
  /** Counts the lines of this processor. */
  readonly n: number
  readonly lines: number
  readonly draft: Draft
}

/** A record of the line protocol in the making: no sequence number, groups as numbers, long strings in pieces. */
export interface Draft {
  readonly type: 'fork' | 'exec' | 'exit' | 'signal' | 'signal-failed' | 'oom' | 'heartbeat'
  readonly time: bigint
  fields: Fields
  cgroup?: bigint
  targetCgroup?: bigint
  readonly fileBytes?: number
  readonly file?: Piece[]
  readonly argv?: Piece[]
}

export type Fields = Record<string, number | bigint | string | undefined>

/** A part of a string that has more bytes than fit on a line. */
export interface Piece {
  readonly at: number
  readonly bytes: string
}

/** More of fact number `of` of the same processor. */
export interface Continuation {
  readonly kind: 'continuation'
  readonly cpu: number
  readonly n: number
  readonly of: number
  readonly addTo: (draft: Draft) => void
}

/** Bytes of file names and arguments that the probe passes on, and how many eight-byte words of them on one line. */
const fileBytesMax = 4_096
const argumentBytesMax = 8_192
const fileWords = 8
const argumentWords = 16

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

/** The words of the current process, with cpu, n and time before them. */
const processWords = 19

const shapes: ReadonlyMap<string, Shape> = new Map([
  ['B', { words: 4, read: readBegin }],
  ['F', { words: 11, read: readFork }],
  ['X', { words: processWords + 3, read: readExec }],
  ['E', { words: processWords + 1, read: readExit }],
  ['S', { words: processWords + 9, read: readSignal }],
  ['K', { words: processWords + 4, read: readFailed }],
  ['O', { words: processWords + 1, read: readOom }],
  ['H', { words: 3, read: readHeartbeat }],
  ['N', { words: 4 + fileWords, read: readFilePiece }],
  ['A', { words: 4 + argumentWords, read: readArgumentPiece }],
  ['T', { words: 16, read: readTarget }],
  ['V', { words: 9, read: readVictim }],
  ['G', { words: 5 + fileWords, read: readGroup }],
])

function readBegin(words: Words): PrintedLine {
  return { kind: 'begin', time: words.big(), bootOffset: words.big() - words.big(), commOffset: words.int() }
}

function readHeartbeat(words: Words): PrintedLine {
  return { kind: 'fact', cpu: words.int(), n: words.int(), lines: 0, draft: draftOf('heartbeat', words.big()) }
}

function readFork(words: Words): PrintedLine {
  const [cpu, n, time, pid, found] = [words.int(), words.int(), words.big(), words.int(), words.int()]
  const child = { start: words.big(), nspid: words.int(), nsid: words.int() }
  const parent = { ppid: words.int(), ptid: words.int(), pstart: words.big() }
  const fields = { pid, ...(found === pid && child), ...parent }
  return { kind: 'fact', cpu, n, lines: 0, draft: { ...draftOf('fork', time), fields } }
}

function readExec(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('exec', words)
  const oldtid = words.int()
  const fileBytes = words.int()
  const argn = words.int()
  draft.fields = { ...draft.fields, oldtid, argn }
  return {
    kind: 'fact',
    cpu,
    n,
    lines: linesOfExec(fileBytes, argn),
    draft: { ...draft, fileBytes, file: [], argv: [] },
  }
}

function linesOfExec(fileBytes: number, argn: number): number {
  const lines = (bytes: number, max: number, words: number) => Math.ceil(Math.min(bytes, max) / (8 * words))
  return lines(fileBytes, fileBytesMax, fileWords) + lines(argn, argumentBytesMax, argumentWords)
}

function readExit(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('exit', words)
  draft.fields.code = words.int()
  return { kind: 'fact', cpu, n, lines: 0, draft }
}

const results = ['delivered', 'ignored', 'pending', 'overflow', 'info-lost']
const sendingCalls = [undefined, 'kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal']

function readSignal(words: Words): PrintedLine {
  const { cpu, n, flags, draft } = readProcess('signal', words)
  const seen = {
    sig: words.int(),
    code: words.int(),
    group: words.int(),
    result: results[words.int()],
    sendingCall: sendingCalls[words.int()],
    arg: words.int() | 0,
    codeSegment: words.hex(),
    callNumber: words.int(),
    onTaskStack: words.int() === 1,
    flags,
  }
  const { sig, group, result } = seen
  draft.fields = { ...draft.fields, sig, group, result, ...contextOfSignal(seen) }
  return { kind: 'fact', cpu, n, lines: 1, draft }
}

function readFailed(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('signal-failed', words)
  const call = sendingCalls[words.int()] ?? 'other'
  const arg = words.int() | 0
  const sig = words.int() | 0
  draft.fields = { ...draft.fields, call, sig, arg, err: -words.int() }
  return { kind: 'fact', cpu, n, lines: 0, draft }
}

function readOom(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('oom', words)
  draft.fields.tpid = words.int()
  return { kind: 'fact', cpu, n, lines: 1, draft }
}

/** What the kernel could not tell reads as 0 here, and no process outside of the idle task has these as 0. */
function readProcess(type: Draft['type'], words: Words) {
  const [cpu, n, time] = [words.int(), words.int(), words.big()]
  const [pid, tid, ppid, start] = [words.int(), words.int(), words.int(), words.big()]
  const [uid, euid] = words.pair()
  const [luid, ses] = words.pair()
  const flags = words.hex()
  const [sid, pgrp, nspid, nsid] = [words.int(), words.int(), words.int() || undefined, words.int() || undefined]
  const cgroup = words.big()
  const tty = terminalOf(words.name(1), words.int())
  const comm = words.name(2)
  const fields: Fields = { pid, tid, ppid, start, uid, euid, luid, ses, sid, pgrp, tty, nspid, nsid, comm }
  return { cpu, n, flags, draft: { ...draftOf(type, time), fields, cgroup } }
}

function draftOf(type: Draft['type'], time: bigint): Draft {
  return { type, time, fields: {} }
}

/** Named as under /dev: pseudo-terminals have a folder there. The kernel's driver is called pts or tty, ttyS, … */
function terminalOf(driver: string, index: number): string {
  if (driver === '') return ''
  return driver === 'pts' ? `pts/${index}` : `${driver}${index}`
}

function readFilePiece(words: Words): PrintedLine {
  return readPiece(words, fileWords, (draft) => ({ pieces: draft.file, total: draft.fileBytes }))
}

function readArgumentPiece(words: Words): PrintedLine {
  return readPiece(words, argumentWords, (draft) => ({ pieces: draft.argv, total: draft.fields.argn as number }))
}

/** The last piece is printed with what lies behind it in memory, which is cut off here. */
function readPiece(
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

const dispositions = ['default', 'ignore', 'handler']

/** The target was looked up by thread id: if another thread was found, only the id and the name are certain. */
function readTarget(words: Words): PrintedLine {
  const [cpu, n, of, ttid, found] = [words.int(), words.int(), words.int(), words.int(), words.int()]
  const process = { tpid: words.int(), tppid: words.int(), tstart: words.big(), tuid: words.int() }
  const namespace = { tnspid: words.int(), tnsid: words.int() }
  const [cgroup, tcomm] = [words.big(), words.name(2)]
  const reaction = { disp: dispositions[words.int()], blocked: words.int() }
  const isFound = found === ttid
  return {
    kind: 'continuation',
    cpu,
    n,
    of,
    addTo(draft) {
      Object.assign(draft.fields, { ttid, tcomm }, isFound && { ...process, ...namespace, ...reaction })
      if (isFound) draft.targetCgroup = cgroup
    },
  }
}

function readVictim(words: Words): PrintedLine {
  const [cpu, n, of, tid, found] = [words.int(), words.int(), words.int(), words.int(), words.int()]
  const victim = { tpid: words.int(), tstart: words.big(), tcomm: words.name(2) }
  const addTo = (draft: Draft) => void Object.assign(draft.fields, found === tid && victim)
  return { kind: 'continuation', cpu, n, of, addTo }
}

function readGroup(words: Words): PrintedLine {
  const [cpu, n, id, at, total] = [words.int(), words.int(), words.big(), words.int(), words.int()]
  const bytes = words.bytes(fileWords).slice(0, Math.max(0, total - at))
  return { kind: 'group', cpu, n, id, path: { at, bytes }, isLast: at + bytes.length >= total }
}
