import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { ProbeError } from '../errors.ts'
import type { Clocks } from '../record/record.ts'
import { bootOffset } from './boot-clock-offset.ts'
import { BpftraceEncoder } from './bpftrace-encode.ts'
import { bpftraceError, bpftraceSpawnError, bpftraceWarnings } from './bpftrace-errors.ts'
import { type PrintedLine, readPrinted } from './bpftrace-facts.ts'
import { FactOrder, quietMs } from './bpftrace-order.ts'
import type { CgroupPaths } from './cgroup-paths.ts'
import { LineSplitter } from './line-splitter.ts'
import type { ProbeEnd, ProbeRun } from './probe.ts'

export interface BpftraceSettings {
  readonly probePath: string
  readonly version: string
  readonly cgroups: CgroupPaths
  readonly bufferMegabytes: number
  readonly startTimeoutMs: number
  readonly warnings: readonly string[]
}

const stderrBytesMax = 65_536
const pageBytes = 4_096

/** Lines that wait for the reader; above it bpftrace is not read, and what its own buffers cannot hold is lost and counted. */
const linesWaitingMax = 50_000

/** bpftrace writes line by line; so many milliseconds of it are read at once. A pipe holds 64 KiB meanwhile. */
const batchMs = 4

/** How long bpftrace may take to print what is left and to detach, after each of the signals that tell it so. */
const stopMs = 5_000
const drainMs = 3_000
const groupPathBytesMax = 4_096

/** Runs the probe and follows it. Rejects with a ProbeError if it does not come up. */
export async function startBpftrace(settings: BpftraceSettings): Promise<ProbeRun> {
  const run = new BpftraceRun(settings)
  await run.started()
  return run
}

class BpftraceRun implements ProbeRun {
  readonly ended: Promise<ProbeEnd>
  private readonly settings: BpftraceSettings
  private readonly child
  private readonly gone: Promise<void>
  private readonly splitter = new LineSplitter()
  private readonly order = new FactOrder()
  private readonly encoder: BpftraceEncoder
  private readonly begun: Promise<void>
  private markBegun: () => void = () => {}
  private ready: string[] = []
  private wake: (() => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private isOver = false
  private isLeaving = false
  private hasBegun = false
  private offset = 0n
  private groupPath = ''
  private strangeLines = 0
  private eventsLost = 0
  private stderr = ''
  private exit: number | string | undefined
  private spawnFailure: NodeJS.ErrnoException | undefined
  private stopAskedAt: bigint | undefined
  private readonly drained = new AbortController()
  private refusal: ProbeError | undefined
  private stopping: Promise<void> | undefined

  constructor(settings: BpftraceSettings) {
    this.settings = settings
    this.begun = new Promise((resolve) => {
      this.markBegun = resolve
    })
    this.encoder = new BpftraceEncoder(
      () => this.clocks(),
      (id) => settings.cgroups.pathOf(id),
    )
    // In a process group of its own: a Ctrl-C at the terminal is for the agent, which then stops the probe in order.
    // If the agent is killed, bpftrace ends at its next heartbeat, when nobody reads its output.
    this.child = execa('bpftrace', ['-q', settings.probePath], {
      reject: false,
      buffer: false,
      detached: true,
      stdin: 'ignore',
      env: {
        LC_ALL: 'C',
        BPFTRACE_PERF_RB_PAGES: String(pagesOf(settings.bufferMegabytes)),
      },
    })
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-stderrBytesMax)
    })
    this.child.stdout.setEncoding('latin1').on('data', (text: string) => this.take(text))
    this.gone = this.untilGone()
    this.ended = this.gone.then(() => this.describeEnd())
  }

  /** All programs are attached before bpftrace reads its first event, that of BEGIN. */
  async started(): Promise<void> {
    const timer = new AbortController()
    const first = await Promise.race([
      this.begun.then(() => 'begun'),
      this.gone.then(() => 'gone'),
      delay(this.settings.startTimeoutMs, 'timeout', { signal: timer.signal }).catch(() => 'timeout'),
    ])
    timer.abort()
    if (first === 'begun') return
    if (first === 'timeout') {
      this.child.kill('SIGKILL')
      await this.gone
      throw new ProbeError(
        'probe-silent',
        `Expected bpftrace to be ready within ${this.settings.startTimeoutMs} ms, it was not. ${this.stderr.trim()}`,
        'The host may be overloaded: try again.',
      )
    }
    if (this.refusal !== undefined) throw this.refusal
    if (this.spawnFailure !== undefined) throw bpftraceSpawnError(this.spawnFailure)
    throw bpftraceError('run the probe', this.exit, this.stderr)
  }

  async *lines(): AsyncGenerator<string> {
    while (true) {
      const lines = this.ready
      this.ready = []
      yield* lines
      if (this.ready.length > 0) continue
      if (this.isOver) return
      this.readOn()
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopInOrder()
    return this.stopping
  }

  /**
   * On SIGINT bpftrace prints only a part of what is in its buffers. So first wait for a heartbeat made after the stop
   * was asked for: what happens later is nobody's concern. If none comes, the counts that bpftrace prints at its very
   * end tell what is missing.
   */
  private async stopInOrder(): Promise<void> {
    this.stopAskedAt = process.hrtime.bigint() + this.offset
    await Promise.race([this.gone, delay(drainMs, undefined, { signal: this.drained.signal }).catch(() => {})])
    this.isLeaving = this.drained.signal.reason === 'heartbeat'
    this.drained.abort()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      this.child.kill(signal)
      // A reader that has gone away must not keep bpftrace from writing its last lines.
      this.child.stdout.resume()
      if (await Promise.race([this.gone.then(() => true), delay(stopMs, false, { ref: false })])) return
    }
    await this.gone
  }

  private take(text: string): void {
    for (const line of this.splitter.push(text)) this.takeLine(line)
    this.passOn()
    if (this.stopping !== undefined) return
    this.child.stdout.pause()
    setTimeout(() => this.readOn(), batchMs)
  }

  private readOn(): void {
    if (this.ready.length <= linesWaitingMax || this.stopping !== undefined) this.child.stdout.resume()
  }

  private takeLine(line: string): void {
    if (line === '') return
    const printed = readPrinted(line)
    if (printed === undefined) this.strangeLines += 1
    else if (printed.kind === 'lost') this.eventsLost += printed.events
    else if (printed.kind === 'begin') this.begin(printed)
    else if (printed.kind === 'count' && this.isLeaving) return
    else {
      this.order.push(printed, performance.now())
      if (printed.kind === 'fact' && printed.draft.type === 'heartbeat') this.noticeDrained(printed.draft.time)
      if (printed.kind === 'group') this.takeGroup(printed)
    }
  }

  private noticeDrained(heartbeat: bigint): void {
    if (this.stopAskedAt !== undefined && heartbeat >= this.stopAskedAt) this.drained.abort('heartbeat')
  }

  private begin({ time, bootOffset, commOffset }: PrintedLine & { kind: 'begin' }): void {
    if (commOffset === 0) {
      this.refusal = new ProbeError(
        'kernel-layout',
        "Expected the probe to find bpftrace's name in its own task, it did not.",
        'The program must be called bpftrace. If it is, please report the kernel release; else use --probe stap.',
      )
      this.child.kill('SIGKILL')
      return
    }
    this.offset = bootOffset
    this.hasBegun = true
    this.ready.push(this.encoder.start(time, { version: this.settings.version, release: release() }))
    this.markBegun()
  }

  /** A path comes in pieces that follow one another; its last byte is a NUL. */
  private takeGroup({ id, path, isLast }: PrintedLine & { kind: 'group' }): void {
    this.groupPath = path.at === 0 ? path.bytes : (this.groupPath + path.bytes).slice(0, groupPathBytesMax)
    if (isLast && this.groupPath.endsWith('\0')) this.settings.cgroups.learn(id, this.groupPath.slice(0, -1))
  }

  private passOn(): void {
    if (!this.hasBegun) return
    for (const ordered of this.order.due(performance.now())) this.ready.push(...this.encoder.encode(ordered))
    if (this.ready.length > 0) this.wakeReader()
    if (this.order.isEmpty || this.timer !== undefined) return
    this.timer = setTimeout(() => {
      // After a pause of this program, what has come meanwhile is to be read first.
      setImmediate(() => {
        this.timer = undefined
        this.passOn()
      })
    }, quietMs)
  }

  private wakeReader(): void {
    this.wake?.()
    this.wake = undefined
  }

  private clocks(): Clocks {
    const mono = process.hrtime.bigint()
    const real = BigInt(Date.now()) * 1_000_000n
    return { real, mono, boot: mono + bootOffset(this.offset, readFileSync('/proc/uptime', 'latin1'), mono) }
  }

  private async untilGone(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.child.once('error', (error) => {
        this.spawnFailure = error
        resolve()
      })
      this.child.once('exit', (code, signal) => {
        this.exit = code ?? signal ?? undefined
        resolve()
      })
    })
    // What it wrote last may come after its end.
    const closed = [this.child.stdout, this.child.stderr].map((stream) =>
      stream.closed ? undefined : once(stream, 'close'),
    )
    await Promise.race([Promise.all(closed), delay(stopMs)])
    clearTimeout(this.timer)
    if (this.hasBegun) {
      for (const ordered of this.order.flush(performance.now())) this.ready.push(...this.encoder.encode(ordered))
      if (this.stopping !== undefined && this.exit === 0) this.ready.push(this.encoder.stop())
    }
    this.isOver = true
    this.wakeReader()
  }

  private describeEnd(): ProbeEnd {
    const warnings = [...this.settings.warnings, ...bpftraceWarnings(this.stderr), ...this.counts()]
    if (this.stopping !== undefined) return { expected: true, error: null, warnings }
    if (this.exit === 0) {
      const error = new ProbeError(
        'probe-ended',
        'Expected bpftrace to run on, somebody else ended it.',
        'A signal to bpftrace ends it; the agent starts it again.',
      )
      return { expected: false, error, warnings }
    }
    return { expected: false, error: bpftraceError('run on', this.exit, this.stderr), warnings }
  }

  private counts(): string[] {
    return [
      ...(this.encoder.lost > 0 || this.eventsLost > 0
        ? [`${this.encoder.lost} lines of the probe were lost; bpftrace itself counted ${this.eventsLost}`]
        : []),
      ...(this.order.late > 0 ? [`${this.order.late} records were passed on after younger ones`] : []),
      ...(this.strangeLines > 0 ? [`bpftrace printed ${this.strangeLines} lines that the probe does not print`] : []),
    ]
  }
}

function pagesOf(megabytes: number): number {
  return 2 ** Math.ceil(Math.log2((megabytes * 1_048_576) / pageBytes))
}
