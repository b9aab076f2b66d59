import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { ProbeError } from '../../errors.ts'
import type { Clocks } from '../../record/record.ts'
import { LineSplitter } from '../line-splitter.ts'
import { bootOffset } from './boot-clock-offset.ts'
import type { CgroupPaths } from './cgroup-paths.ts'
import { BpftraceEncoder } from './encode.ts'
import { type PrintedLine, readPrinted } from './facts.ts'
import { FactOrder } from './order.ts'

const groupPathBytesMax = 4_096

/** Clocks that were read within this time were read together. */
const togetherNs = 50_000_000n
const clockTriesMax = 5

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
  private started: string[] = []
  private offset = 0n
  private groupPath = ''
  private strangeLines = 0
  private eventsLost = 0

  constructor({ version, cgroups }: { version: string; cgroups: CgroupPaths }) {
    this.version = version
    this.cgroups = cgroups
    this.encoder = new BpftraceEncoder(
      () => this.clocks(),
      (id) => cgroups.pathOf(id),
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
      ...(this.strangeLines > 0 ? [`bpftrace printed ${this.strangeLines} lines that the probe does not print`] : []),
    ]
  }

  private take(line: string, nowMs: number): void {
    const printed = readPrinted(line)
    if (printed === undefined) this.strangeLines += 1
    else if (printed.kind === 'lost') this.eventsLost += printed.events
    else if (printed.kind === 'begin') this.begin(printed)
    else if (printed.kind !== 'count' || !this.isLeaving) {
      this.order.push(printed, nowMs)
      if (printed.kind === 'fact' && printed.draft.type === 'heartbeat') this.lastHeartbeat = printed.draft.time
      if (printed.kind === 'group') this.takeGroup(printed)
    }
  }

  private begin({ time, bootOffset, commOffset }: PrintedLine & { kind: 'begin' }): void {
    if (commOffset === 0) {
      throw new ProbeError(
        'kernel-layout',
        "Expected the probe to find bpftrace's name in its own task, it did not.",
        'The program must be called bpftrace. If it is, please report the kernel release; else use --probe stap.',
      )
    }
    this.offset = bootOffset
    this.hasBegun = true
    this.started.push(this.encoder.start(time, { version: this.version, release: release() }))
  }

  /** A path comes in pieces that follow one another; its last byte is a NUL. */
  private takeGroup({ id, path, isLast }: PrintedLine & { kind: 'group' }): void {
    this.groupPath = path.at === 0 ? path.bytes : (this.groupPath + path.bytes).slice(0, groupPathBytesMax)
    if (isLast && this.groupPath.endsWith('\0')) this.cgroups.learn(id, this.groupPath.slice(0, -1))
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
