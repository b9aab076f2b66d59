import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { ProbeError } from '../../errors.ts'
import { endedError } from '../ended-error.ts'
import type { ProbeEnd, ProbeRun } from '../probe.ts'
import { bpftraceError, bpftraceSpawnError, bpftraceWarnings } from './errors.ts'
import { quietMs } from './order.ts'
import { BpftraceTranslation, type TranslationOptions } from './translation/translate.ts'

export interface BpftraceSettings extends TranslationOptions {
  readonly probePath: string
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
  private readonly translation: BpftraceTranslation
  private readonly begun: Promise<void>
  private markBegun: () => void = () => {}
  private ready: string[] = []
  private wake: (() => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private isOver = false
  private stderr = ''
  private exit: number | string | undefined
  private spawnFailure: NodeJS.ErrnoException | undefined
  private stopAskedAt: bigint | undefined
  private readonly drained = new AbortController()
  private refusal: Error | undefined
  private stopping: Promise<void> | undefined

  constructor(settings: BpftraceSettings) {
    this.settings = settings
    this.begun = new Promise((resolve) => {
      this.markBegun = resolve
    })
    this.translation = new BpftraceTranslation(settings)
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
    this.stopAskedAt = this.translation.now()
    await Promise.race([this.gone, delay(drainMs, undefined, { signal: this.drained.signal }).catch(() => {})])
    this.translation.isLeaving = this.hasDrained()
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
    try {
      this.translation.push(text, performance.now())
    } catch (error) {
      this.refusal ??= error as Error
      this.child.kill('SIGKILL')
      return
    }
    if (this.translation.hasBegun) this.markBegun()
    if (this.hasDrained()) this.drained.abort()
    this.passOn()
    if (this.stopping !== undefined) return
    if (this.translation.unheard !== undefined) {
      this.refusal ??= processorUnheard(this.translation.unheard)
      this.child.kill('SIGKILL')
      return
    }
    this.child.stdout.pause()
    setTimeout(() => this.readOn(), batchMs)
  }

  private hasDrained(): boolean {
    return this.stopAskedAt !== undefined && this.translation.lastHeartbeat >= this.stopAskedAt
  }

  private readOn(): void {
    if (this.ready.length <= linesWaitingMax || this.stopping !== undefined) this.child.stdout.resume()
  }

  private passOn(): void {
    for (const line of this.translation.due(performance.now())) this.ready.push(line)
    if (this.ready.length > 0) this.wakeReader()
    if (this.translation.isEmpty || this.timer !== undefined) return
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
    await Promise.race([Promise.all(closed), delay(stopMs, undefined, { ref: false })])
    clearTimeout(this.timer)
    const isInOrder = this.stopping !== undefined && this.exit === 0
    for (const line of this.translation.flush(performance.now(), isInOrder)) this.ready.push(line)
    this.isOver = true
    this.wakeReader()
  }

  private describeEnd(): ProbeEnd {
    const warnings = [...this.settings.warnings, ...bpftraceWarnings(this.stderr), ...this.translation.warnings()]
    if (this.stopping !== undefined) return { expected: true, error: null, warnings }
    if (this.refusal instanceof ProbeError) return { expected: false, error: this.refusal, warnings }
    if (this.exit === 0) {
      const error = new ProbeError(
        'probe-ended',
        'Expected bpftrace to run on, somebody else ended it.',
        'A signal to bpftrace ends it; the agent starts it again.',
      )
      return { expected: false, error, warnings }
    }
    const error = bpftraceError('run on', this.exit, this.stderr)
    return { expected: false, error: endedError(error, 'bpftrace', this.exit), warnings }
  }
}

function processorUnheard(processor: number): ProbeError {
  return new ProbeError(
    'processor-unheard',
    `Expected to hear of processor ${processor}, bpftrace passes nothing on from it any more: it was off for a while, as when the host is suspended.`,
    'bpftrace is started again.',
  )
}

function pagesOf(megabytes: number): number {
  return 2 ** Math.ceil(Math.log2((megabytes * 1_048_576) / pageBytes))
}
