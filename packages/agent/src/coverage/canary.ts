import { randomBytes } from 'node:crypto'
import { execa } from 'execa'
import { ProbeError } from '../errors.ts'
import type { ProcessEntry } from '../process/entry.ts'
import type { Applied } from '../process/table.ts'
import type { KernelRecord } from '../record/record.ts'

const sigurg = 23
const tries = 40
const pauseMs = 250

/**
 * Proves that kills are really seen: a shell sends itself SIGURG, which does nothing, until a record tells of it.
 * The shell is known by a random word among its arguments, so the proof also holds where the agent and the probe
 * know different pids for it.
 */
export class Canary {
  /** The agent itself, as the process table knows it: the parent of the first shell that was seen. */
  agent: ProcessEntry | undefined
  /** Record time of the proof, nanoseconds since boot. */
  seenAt: bigint | undefined
  private readonly word = `whokilled-canary-${randomBytes(8).toString('hex')}`
  private readonly gone = new AbortController()

  /** Sends signals until one is seen; rejects if none is. */
  async sing(): Promise<void> {
    for (let count = 0; count < tries; count += 1) {
      if (this.seenAt !== undefined || this.gone.signal.aborted) return
      await execa('/bin/sh', ['-c', 'kill -URG $$; :', this.word], { reject: false, stdio: 'ignore' })
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    if (this.seenAt !== undefined || this.gone.signal.aborted) return
    throw new ProbeError(
      'probe-blind',
      `expected the tracer to tell of a signal that the agent sent, nothing came in ${(tries * pauseMs) / 1_000} s`,
      'The tracer runs but sees nothing: run `whokilled-agent doctor`.',
    )
  }

  /** The run has ended, whatever was seen. */
  stop(): void {
    this.gone.abort()
  }

  /** Looks at a record; true if it is the proof, and the first. */
  hears(record: KernelRecord, { process, target }: Applied): boolean {
    if (this.seenAt !== undefined || process === undefined) return false
    if (record.type !== 'signal' || record.sig !== sigurg || process !== target) return false
    if (!process.program.args?.includes(this.word)) return false
    this.seenAt = record.time
    this.agent = process.parent
    return true
  }
}
