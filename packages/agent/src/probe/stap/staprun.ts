import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { ProbeError } from '../../errors.ts'
import { endedError } from '../ended-error.ts'
import { LineSplitter } from '../line-splitter.ts'
import type { ProbeEnd, ProbeRun } from '../probe.ts'
import { spawnError, stapError, warningsIn } from './errors.ts'
import { removeLeftover } from './leftover.ts'
import { moduleName } from './module.ts'

const defaultBufferMegabytes = 8
const defaultStartTimeoutMs = 30_000
const stderrBytesMax = 65_536

/** How long to wait for records that are still in the kernel, and then for the module to be unloaded. */
const drainMs = 3_000
const unloadMs = 5_000
const forcedUnloadMs = 2_000
const stderrRestMs = 500

/** Loads a module and follows it. Rejects with a ProbeError if no line comes. */
export async function startStaprun(
  modulePath: string,
  options: { bufferMegabytes?: number; startTimeoutMs?: number },
): Promise<ProbeRun> {
  const run = new StaprunRun(modulePath, options.bufferMegabytes ?? defaultBufferMegabytes)
  await run.firstOutput(options.startTimeoutMs ?? defaultStartTimeoutMs)
  return run
}

class StaprunRun implements ProbeRun {
  readonly ended: Promise<ProbeEnd>
  private readonly child
  private readonly stdout: Readable
  private readonly gone: Promise<void>
  private stderr = ''
  private exitCode: number | undefined
  private endSignal: NodeJS.Signals | null = null
  private spawnFailure: NodeJS.ErrnoException | undefined
  private stopping: Promise<void> | undefined
  private readonly drained = new AbortController()
  private received = 0
  private stopAskedMs: number | undefined

  constructor(modulePath: string, bufferMegabytes: number) {
    // In a process group of its own: a Ctrl-C at the terminal is for the agent, which then stops the probe in order.
    this.child = execa('staprun', ['-C', 'never', '-b', String(bufferMegabytes), modulePath], {
      reject: false,
      buffer: false,
      detached: true,
      stdin: 'ignore',
      env: { LC_ALL: 'C' },
    })
    this.stdout = this.child.stdout
    this.stdout.setEncoding('latin1')
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-stderrBytesMax)
    })
    this.gone = this.untilGone()
    this.ended = this.gone.then(() => this.describeEnd())
  }

  async firstOutput(timeoutMs: number): Promise<void> {
    const timer = new AbortController()
    const first = await Promise.race([
      once(this.stdout, 'readable').then(() => (this.stdout.readableLength > 0 ? 'output' : 'end')),
      this.gone.then(() => 'end'),
      delay(timeoutMs, 'timeout', { signal: timer.signal }).catch(() => 'timeout'),
    ])
    timer.abort()
    if (first === 'output') return
    if (first === 'timeout') {
      await this.force()
      throw new ProbeError(
        'probe-silent',
        `Expected the probe's first line within ${timeoutMs} ms, none came. ${this.stderr.trim()}`,
        'The host may be overloaded: try again. If it stays so, report what `dmesg | tail` says.',
      )
    }
    await this.gone
    if (this.spawnFailure !== undefined) throw spawnError('staprun', this.spawnFailure)
    throw stapError('run the probe', this.exitCode, this.stderr)
  }

  async *lines(): AsyncGenerator<string> {
    const splitter = new LineSplitter()
    for await (const piece of this.stdout) {
      for (const line of splitter.push(piece as string)) {
        this.notice(line)
        yield line
      }
    }
    const torn = splitter.end()
    if (torn !== undefined) yield torn
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopInOrder()
    return this.stopping
  }

  /**
   * On SIGINT stapio unloads the module at once, and what is still in the kernel's buffers is gone without a word.
   * So first wait for a heartbeat made after the stop was asked for, with all records before it.
   */
  private async stopInOrder(): Promise<void> {
    this.stopAskedMs = Date.now()
    await Promise.race([
      this.gone,
      delay(drainMs, undefined, { signal: this.drained.signal, ref: false }).catch(() => {}),
    ])
    this.child.kill('SIGINT')
    if (await this.isGoneWithin(unloadMs)) return
    this.child.kill('SIGTERM')
    if (await this.isGoneWithin(forcedUnloadMs)) return
    await this.force()
  }

  private async force(): Promise<void> {
    this.child.kill('SIGKILL')
    this.stdout.destroy()
    await this.gone
    await removeLeftover(moduleName)
  }

  private notice(line: string): void {
    this.received++
    if (this.stopAskedMs === undefined || !line.startsWith('heartbeat\t')) return
    const seq = Number(line.split('\t', 2)[1])
    const realMs = Number(/\treal=(\d+)\d{6}\t/.exec(line)?.[1])
    if (realMs >= this.stopAskedMs && this.received >= seq) this.drained.abort()
  }

  private async untilGone(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.child.once('error', (error) => {
        this.spawnFailure = error
        resolve()
      })
      this.child.once('exit', (code, signal) => {
        this.exitCode = code ?? undefined
        this.endSignal = signal
        resolve()
      })
    })
    // What it wrote last may come after its end.
    if (!this.child.stderr.readableEnded)
      await Promise.race([once(this.child.stderr, 'close'), delay(stderrRestMs, undefined, { ref: false })])
  }

  private isGoneWithin(ms: number): Promise<boolean> {
    return Promise.race([this.gone.then(() => true), delay(ms, false, { ref: false })])
  }

  private describeEnd(): ProbeEnd {
    const warnings = warningsIn(this.stderr)
    if (this.stopping !== undefined) return { expected: true, error: null, warnings }
    if (this.exitCode === 0 || this.endSignal !== null) {
      const error = new ProbeError(
        'probe-ended',
        `Expected the probe to run on, somebody else ended it${this.endSignal === null ? '' : ` with ${this.endSignal}`}.`,
        'A signal to stapio ends it, also one of the OOM killer (see dmesg).',
      )
      return { expected: false, error, warnings }
    }
    const error = stapError('run on', this.exitCode, this.stderr)
    return { expected: false, error: endedError(error, 'SystemTap', this.exitCode), warnings }
  }
}
