import { closeSync, fdatasync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { Process } from '@whokilled/shared/process'
import type { ProcessEntry, Program } from '../process/entry.ts'
import { type LastWatch, type LastWatchHead, type LastWatchLine, type NotedGap, readLastWatch } from './last-watch.ts'

/** Main processes that are remembered; what people have named, systemd's and containers' come first. */
const processesMax = 1_000

/** Lines that are appended before the file is written anew, beside two for each process that is remembered. */
const appendedMax = 1_000

interface Kept {
  readonly line: string
  /** What it was described from; undefined for one that an earlier run described. */
  readonly program: Program | undefined
  readonly cgroup: string | undefined
  ended?: string
}

/**
 * Keeps on disk what this agent watches, for the next one that runs here (last-watch.ts has the format). Written
 * through the page cache, so that it outlives the agent, and synced with each `see`, so that it outlives the host.
 * A disk that fails costs the memory, not the watching: the file is removed, since an old one would tell of deaths
 * that have been told, and written anew as soon as that is possible.
 */
export class WatchMemory {
  readonly counters = { written: 0, failed: 0, overLimit: 0 }
  /** What the last agent left. */
  readonly last: LastWatch | undefined
  /** Why what is in the file cannot be used; undefined if it can, or there is none. */
  readonly trouble: string | undefined
  private readonly file: string
  private readonly hostId: string
  private readonly kept = new Map<string, Kept>()
  private head: string | undefined
  private seen: string | undefined
  private descriptor: number | undefined
  private appended = 0

  constructor(file: string, hostId: string) {
    this.file = file
    this.hostId = hostId
    const { last, trouble } = readLastWatch(file, hostId)
    this.last = last
    this.trouble = trouble
  }

  /** A watching has begun. Of what the last agent left, `untold` is kept until it has been told. */
  begin(
    head: Pick<LastWatchHead, 'bootId' | 'runId' | 'watchedSince'>,
    boot: bigint,
    untold: readonly Process[],
  ): void {
    this.head = written({ v: 1, hostId: this.hostId, ...head })
    this.seen = written({ seen: head.watchedSince, boot: `${boot}` })
    for (const process of untold) {
      this.kept.set(process.id, { line: written({ process }), program: undefined, cgroup: undefined })
    }
    this.rewrite()
  }

  /** Until then all was watched, and what was to be told is on the disk; these are the services' main processes. */
  see(at: string, boot: bigint, mains: readonly ProcessEntry[], describe: (entry: ProcessEntry) => Process): void {
    if (this.head === undefined) return
    this.counters.overLimit = Math.max(0, mains.length - processesMax)
    const lines: string[] = []
    const current = new Set<string>()
    for (const entry of mains.slice(0, processesMax)) {
      current.add(entry.id)
      const { id, program, cgroup } = entry
      const known = this.kept.get(id)
      if (known?.ended !== undefined || (known?.program === program && known.cgroup === cgroup)) continue
      const line = written({ process: { ...describe(entry), ancestors: [] } })
      this.kept.set(id, { line, program, cgroup })
      lines.push(line)
    }
    for (const [id, { ended }] of this.kept) {
      if (ended !== undefined || current.has(id)) continue
      this.kept.delete(id)
      lines.push(written({ told: id }))
    }
    this.seen = written({ seen: at, boot: `${boot}` })
    this.append(...lines, this.seen)
    if (this.appended > appendedMax + 2 * this.kept.size) this.rewrite()
    else this.sync()
  }

  /** Whether it is remembered. */
  has(id: string): boolean {
    return this.kept.has(id)
  }

  /**
   * A process has ended, and that is about to be told, or passed over. If the agent dies before it could, the next one
   * tells it with the same time, and so as the same event.
   */
  ended(id: string, at: string, gap: NotedGap | null): void {
    const known = this.kept.get(id)
    if (known === undefined) return
    known.ended = written({ ended: id, at, gap })
    this.append(known.ended)
  }

  told(id: string): void {
    if (this.kept.delete(id)) this.append(written({ told: id }))
  }

  /** The agent ends in order. */
  stop(): void {
    if (this.head === undefined) return
    this.append(written({ stopped: true }))
    this.attempt(() => this.descriptor !== undefined && fsyncSync(this.descriptor))
    this.close()
    this.head = undefined
  }

  /** Does not wait: what is lost with the host's power is the last moments at most. */
  private sync(): void {
    const { descriptor } = this
    const { written } = this.counters
    if (descriptor === undefined) return
    fdatasync(descriptor, (error) => {
      // One that was closed meanwhile has been replaced, or synced at the end.
      const isOpen = this.descriptor === descriptor && this.counters.written === written
      if (error !== null && isOpen) this.fail()
    })
  }

  private append(...lines: string[]): void {
    if (this.descriptor === undefined) {
      this.rewrite()
      return
    }
    this.appended += lines.length
    const { descriptor } = this
    this.attempt(() => writeAll(descriptor, lines))
  }

  /** Writes all that is remembered into a new file, which then takes the place of the old one. */
  private rewrite(): void {
    const { head, seen, file } = this
    if (head === undefined || seen === undefined) return
    this.close()
    const processes = [...this.kept.values()].flatMap(({ line, ended }) =>
      ended === undefined ? [line] : [line, ended],
    )
    this.attempt(() => {
      const descriptor = openSync(`${file}.new`, 'w', 0o600)
      this.descriptor = descriptor
      writeAll(descriptor, [head, ...processes, seen])
      fsyncSync(descriptor)
      renameSync(`${file}.new`, file)
      this.appended = 0
      this.counters.written += 1
    })
  }

  private attempt(work: () => void): void {
    try {
      work()
    } catch {
      this.fail()
    }
  }

  private fail(): void {
    this.counters.failed += 1
    this.close()
    rmSync(this.file, { force: true })
  }

  private close(): void {
    const { descriptor } = this
    this.descriptor = undefined
    if (descriptor === undefined) return
    try {
      closeSync(descriptor)
    } catch {
      // What it held has been written, or is given up.
    }
  }
}

function written(line: LastWatchLine): string {
  return JSON.stringify(line)
}

/** A write that stops short has filled the disk. */
function writeAll(descriptor: number, lines: readonly string[]): void {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const count = writeSync(descriptor, bytes)
  if (count < bytes.length) throw new Error(`expected to write ${bytes.length} bytes, wrote ${count}`)
}
