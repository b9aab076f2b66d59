import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { ProbeError } from '../../../errors.ts'
import type { Clocks } from '../../../record/record.ts'
import { LineSplitter } from '../../line-splitter.ts'
import { bootOffset } from '../boot-clock-offset.ts'
import type { CgroupPaths } from '../cgroup-paths.ts'
import type { FileContent, OpenedFile } from '../opened-file.ts'
import { FactOrder } from '../order.ts'
import { BpftraceEncoder } from './encode.ts'
import { readPrinted } from './facts.ts'
import { PathLines } from './path-lines.ts'
import type { Begin, Fact, NewGroup } from './printed-line.ts'

const groupPathBytesMax = 4_096

/** Clocks that were read within this time were read together. */
const togetherNs = 50_000_000n
const clockTriesMax = 5

export interface TranslationOptions {
  /** Of the tracer. */
  readonly version: string
  readonly cgroups: CgroupPaths
  /** Looks at files that were opened a moment ago, for what the probe cannot tell of them. */
  readonly files: { contentOf: (file: OpenedFile) => FileContent; readonly skipped: number }
}

/** Turns what bpftrace prints into lines of the protocol: read, put in order, numbered. */
export class BpftraceTranslation {
  /** True once the first line, that of BEGIN, has come: then all programs are attached. */
  hasBegun = false
  /** Kernel time of the last heartbeat. */
  lastHeartbeat = 0n
  /** The end has come: what bpftrace still counts is nobody's concern. */
  isLeaving = false
  private readonly splitter = new LineSplitter()
  private readonly order = new FactOrder()
  private readonly encoder: BpftraceEncoder
  private readonly version: string
  private readonly cgroups: CgroupPaths
  private readonly files: TranslationOptions['files']
  /** Of each processor. */
  private readonly paths = new Map<number, PathLines>()
  private reader = 0
  private started: string[] = []
  private offset = 0n
  private groupPath = ''
  private strangeLines = 0
  private eventsLost = 0

  constructor({ version, cgroups, files }: TranslationOptions) {
    this.version = version
    this.cgroups = cgroups
    this.files = files
    this.encoder = new BpftraceEncoder(
      () => this.clocks(),
      (group) => cgroups.pathOf(group),
    )
  }

  /** Takes a piece of bpftrace's output. Throws a ProbeError if the probe found that it cannot work here. */
  push(text: string, nowMs: number): void {
    for (const line of this.splitter.push(text)) if (line !== '') this.take(line, nowMs)
  }

  /** The lines that can be passed on now. */
  due(nowMs: number): string[] {
    if (!this.hasBegun) return []
    const lines = this.started
    this.started = []
    for (const ordered of this.order.due(nowMs)) lines.push(...this.encoder.encode(ordered))
    return lines
  }

  /** bpftrace has ended: all lines that are left, and the last one if it ended in order. */
  flush(nowMs: number, isInOrder: boolean): string[] {
    if (!this.hasBegun) return []
    const lines = this.started
    for (const ordered of this.order.flush(nowMs)) lines.push(...this.encoder.encode(ordered))
    return isInOrder ? [...lines, this.encoder.stop()] : lines
  }

  /** A processor of which nothing is heard any more. */
  get unheard(): number | undefined {
    return this.order.unheard
  }

  /** Whether nothing waits for others to come first. */
  get isEmpty(): boolean {
    return this.order.isEmpty
  }

  /** CLOCK_BOOTTIME in nanoseconds, as the probe's times are. */
  now(): bigint {
    return process.hrtime.bigint() + this.offset
  }

  warnings(): string[] {
    return [
      ...(this.encoder.lost > 0 || this.eventsLost > 0
        ? [`${this.encoder.lost} lines of the probe were lost; bpftrace itself counted ${this.eventsLost}`]
        : []),
      ...(this.order.late > 0 ? [`${this.order.late} records were passed on after younger ones`] : []),
      ...(this.files.skipped > 0 ? [`${this.files.skipped} opened files were too many to look at`] : []),
      ...(this.strangeLines > 0 ? [`bpftrace printed ${this.strangeLines} lines that the probe does not print`] : []),
    ]
  }

  private take(line: string, nowMs: number): void {
    const printed = readPrinted(line)
    if (printed === undefined) this.strangeLines += 1
    else if (printed.kind === 'lost') this.eventsLost += printed.events
    else if (printed.kind === 'begin') this.begin(printed)
    else if (printed.kind !== 'count' || !this.isLeaving) {
      if (printed.kind === 'fact') this.complete(printed)
      if (printed.kind === 'path') this.pathsOf(printed.cpu).take(printed.n, printed.parts)
      if (printed.kind === 'group') this.takeGroup(printed)
      this.order.push(printed, nowMs)
    }
  }

  private begin({ time, bootOffset, commOffset, mountOffset, reader }: Begin): void {
    if (commOffset === 0) {
      throw new ProbeError(
        'kernel-layout',
        "Expected the probe to find bpftrace's name in its own task, it did not.",
        'The program must be called bpftrace. If it is, please report the kernel release; else use --probe stap.',
      )
    }
    if (mountOffset === 0) {
      throw new ProbeError(
        'kernel-layout',
        'Expected the probe to find how this kernel keeps mounts, it did not.',
        'Please report the kernel release; meanwhile use --probe stap.',
      )
    }
    this.offset = bootOffset
    this.reader = reader
    this.hasBegun = true
    this.started.push(this.encoder.start(time, { version: this.version, release: release() }))
  }

  /** Adds the path that came before a fact, and at once what else is asked of an opened file: it may change. */
  private complete({ cpu, n, draft }: Fact): void {
    if (draft.type === 'heartbeat') this.lastHeartbeat = draft.time
    if (draft.path === undefined) return
    const path = this.pathsOf(cpu).pathOf(n, draft.path)
    if (draft.opened === undefined) draft.fields.exe = path
    else if (path !== undefined && draft.fields.pid !== this.reader) {
      const { pid, start } = draft.fields as { pid: number; start: bigint }
      // In this order: time that passes between the two makes the opening look earlier, and the file newer.
      const real = BigInt(Date.now()) * 1_000_000n
      const openedAt = real - (this.clocks().boot - draft.time)
      Object.assign(draft.fields, { path }, this.files.contentOf({ ...draft.opened, path, pid, start, openedAt }))
    }
  }

  private pathsOf(cpu: number): PathLines {
    const known = this.paths.get(cpu) ?? new PathLines()
    this.paths.set(cpu, known)
    return known
  }

  /** A path comes in pieces that follow one another; its last byte is a NUL. */
  private takeGroup({ hierarchy, id, path, isLast }: NewGroup): void {
    this.groupPath = path.at === 0 ? path.bytes : (this.groupPath + path.bytes).slice(0, groupPathBytesMax)
    if (isLast && this.groupPath.endsWith('\0')) this.cgroups.made(hierarchy, id, this.groupPath.slice(0, -1))
  }

  /** Read together: again, if this program was kept waiting in between. */
  private clocks(): Clocks {
    for (let tries = 1; ; tries += 1) {
      const mono = process.hrtime.bigint()
      const real = BigInt(Date.now()) * 1_000_000n
      const boot = mono + bootOffset(this.offset, readFileSync('/proc/uptime', 'latin1'), mono)
      if (process.hrtime.bigint() - mono < togetherNs || tries === clockTriesMax) return { real, mono, boot }
    }
  }
}
