import { escapeBytes } from '../../record/bytes.ts'
import { encodeRecord } from '../../record/encode.ts'
import { lineBytesMax } from '../../record/parse.ts'
import type { Clocks, KernelRecord } from '../../record/record.ts'
import type { Draft, Fields, Piece } from './facts.ts'
import type { Ordered } from './order.ts'

/** What the line protocol leaves out of a string that is longer: half a path would be another path. Escaped bytes. */
const cgroupBytesMax = 900
const fileBytesMax = 1_400
/** Arguments on one line, escaped; with everything else on it the line stays within the protocol's 4,000 bytes. */
const execArgvBytesMax = 800
const argsArgvBytesMax = lineBytesMax - 200

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
    return this.line('start', time, { v: 1, probe: 'bpftrace', ...tracer, ...this.clocks() })
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
    return draft.type === 'exec' ? this.exec(draft, fields) : [this.line(draft.type, draft.time, fields)]
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
    const [first, ...more] = runsOf(draft.argv ?? [], execArgvBytesMax, argsArgvBytesMax)
    const starts = first?.at === 0
    const rest = starts || first === undefined ? more : [first, ...more]
    const exec = this.line('exec', draft.time, { ...fields, file, ...(starts && { argv: first.bytes }) })
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
  const bytes = file.map((piece) => piece.bytes).join('')
  return bytes.length === fileBytes && bytes.endsWith('\0') ? bytes.slice(0, -1) : undefined
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
