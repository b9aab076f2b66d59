import { escapeBytes } from '../../../record/bytes.ts'
import { encodeRecord } from '../../../record/encode.ts'
import { lineBytesMax } from '../../../record/parse.ts'
import type { Clocks, KernelRecord } from '../../../record/record.ts'
import type { Ordered } from '../order.ts'
import { wholeOf } from './pieces.ts'
import type { Draft, Fields, Piece } from './printed-line.ts'

/**
 * A longer string is left out: half a path would be another path. Escaped bytes. With 420 bytes for everything else
 * and the arguments that follow, a line stays within the protocol's 4,000 bytes.
 */
const cgroupBytesMax = 900
const exeBytesMax = 1_000
const fileBytesMax = 900
const pathBytesMax = 2_000
const logBytesMax = 3_600
const execArgvBytesMax = 700
const argsArgvBytesMax = lineBytesMax - 200

/** Bytes of a page of memory on x86-64. */
const page = 4_096

/** How many ends of processes are remembered, to drop a second one. */
const endsMax = 4_096

/** Numbers what the probe saw and writes it as lines of the protocol (docs/line-protocol.md). */
export class BpftraceEncoder {
  /** Lines of the probe that never came; their sequence numbers are left out. */
  lost = 0
  private seq = 0
  private readonly ends = new Set<string>()
  private readonly clocks: () => Clocks
  private readonly pathOfCgroup: (id: bigint) => string | undefined

  constructor(clocks: () => Clocks, pathOfCgroup: (id: bigint) => string | undefined) {
    this.clocks = clocks
    this.pathOfCgroup = pathOfCgroup
  }

  start(time: bigint, tracer: { readonly version: string; readonly release: string }): string {
    return this.line('start', time, { v: 1, probe: 'bpftrace', ...tracer, page, ...this.clocks() })
  }

  /** The last line. What a started probe prints at its end has been passed on before. */
  stop(): string {
    const clocks = this.clocks()
    return this.line('stop', clocks.boot, { ...clocks, lost: this.lost })
  }

  encode(ordered: Ordered): string[] {
    if (ordered.kind === 'lost') {
      this.lost += ordered.lines
      this.seq += ordered.lines
      return []
    }
    const { draft } = ordered
    if (draft.type === 'heartbeat') {
      return [this.line('heartbeat', draft.time, { ...this.clocks(), lost: this.lost })]
    }
    if (draft.type === 'exit' && this.hasEnded(draft)) return []
    const fields = Object.assign(draft.fields, this.cgroups(draft))
    switch (draft.type) {
      case 'exec':
        return this.exec(draft, fields)
      case 'open':
        return this.told(draft, { path: within(fields.path as string | undefined, pathBytesMax) })
      case 'log':
        return this.told(draft, { text: within(textOf(draft), logBytesMax) })
      default:
        return [this.line(draft.type, draft.time, fields)]
    }
  }

  /** A record that is nothing without this fact. */
  private told(draft: Draft, fact: Record<string, string | undefined>): string[] {
    const isKnown = Object.values(fact).every((value) => value !== undefined)
    return isKnown ? [this.line(draft.type, draft.time, { ...draft.fields, ...fact })] : []
  }

  /** Two threads that end at the same time are both taken for the last one by the probe. */
  private hasEnded({ fields: { pid, start } }: Draft): boolean {
    const process = `${pid} ${start}`
    if (this.ends.has(process)) return true
    this.ends.add(process)
    for (const oldest of this.ends) {
      if (this.ends.size <= endsMax) break
      this.ends.delete(oldest)
    }
    return false
  }

  private cgroups({ cgroup, targetCgroup }: Draft): Fields {
    const path = (id: bigint | undefined) =>
      id === undefined ? undefined : within(this.pathOfCgroup(id), cgroupBytesMax)
    return { cgroup: path(cgroup), tcgroup: path(targetCgroup) }
  }

  private exec(draft: Draft, fields: Fields): string[] {
    const file = within(fileOf(draft), fileBytesMax)
    const exe = within(fields.exe as string | undefined, exeBytesMax)
    const [first, ...more] = runsOf(draft.argv ?? [], execArgvBytesMax, argsArgvBytesMax)
    const starts = first?.at === 0
    const rest = starts || first === undefined ? more : [first, ...more]
    const exec = this.line('exec', draft.time, { ...fields, exe, file, ...(starts && { argv: first.bytes }) })
    const { pid, start } = fields
    return [exec, ...rest.map(({ at, bytes }) => this.line('args', draft.time, { pid, start, at, argv: bytes }))]
  }

  private line(type: string, time: bigint, fields: Fields): string {
    this.seq += 1
    return encodeRecord({ type, seq: this.seq, time, ...fields } as unknown as KernelRecord)
  }
}

/** The file name, if all of it has come. Its last byte is a NUL. */
function fileOf({ file = [], fileBytes = 0 }: Draft): string | undefined {
  const bytes = wholeOf(file, fileBytes)
  return bytes?.endsWith('\0') ? bytes.slice(0, -1) : undefined
}

/** A line of the log, if all of it has come, without its line break and the NUL behind it. */
function textOf({ log = [], logBytes = 0 }: Draft): string | undefined {
  return wholeOf(log, logBytes)?.replace(/\n?\0[\s\S]*$/, '')
}

function within(bytes: string | undefined, escapedMax: number): string | undefined {
  return bytes === undefined || escapeBytes(bytes).length > escapedMax ? undefined : bytes
}

/** Joins neighbouring pieces as long as they fit on a line when escaped; one piece always does. */
function runsOf(pieces: readonly Piece[], firstMax: number, max: number): { at: number; bytes: string }[] {
  const runs: { at: number; bytes: string; escaped: number }[] = []
  for (const { at, bytes } of pieces) {
    const escaped = escapeBytes(bytes).length
    const run = runs.at(-1)
    const room = (runs.length === 1 ? firstMax : max) - (run?.escaped ?? 0)
    if (run === undefined || run.at + run.bytes.length !== at || room < escaped) runs.push({ at, bytes, escaped })
    else {
      run.bytes += bytes
      run.escaped += escaped
    }
  }
  return runs
}
