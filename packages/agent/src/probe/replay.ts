import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { ProbeError } from '../errors.ts'
import { LineSplitter } from './line-splitter.ts'
import type { Probe, ProbeEnd, ProbeRun } from './probe.ts'

export interface ReplayOptions {
  /** A recording: lines of the protocol, as a probe printed them. */
  readonly file: string
  /**
   * `real`: the records come at the distances in time at which they were made, pauses of hours included.
   * `fast`: as fast as they are taken.
   */
  readonly speed: 'real' | 'fast'
}

/** The third probe: a recording of one of the others. It is read piece by piece, whatever its length. */
export function replayProbe(options: ReplayOptions): Probe {
  return {
    kind: 'replay',
    async start() {
      await checkRecording(options.file)
      return new ReplayRun(options)
    },
  }
}

class ReplayRun implements ProbeRun {
  readonly ended: Promise<ProbeEnd>
  private readonly options: ReplayOptions
  private end: (end: ProbeEnd) => void = () => {}
  private readonly stopped = new AbortController()

  constructor(options: ReplayOptions) {
    this.options = options
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
  }

  async *lines(): AsyncGenerator<string> {
    const pace = new Pace(this.stopped.signal)
    let error: ProbeError | null = null
    let isRecording = false
    try {
      for await (const line of this.recorded()) {
        const time = timeOf(line)
        isRecording ||= time !== undefined
        if (this.options.speed === 'real') await pace.until(time)
        if (this.stopped.signal.aborted) return
        yield line
      }
      if (!isRecording) error = noRecording(this.options.file)
    } catch (cause) {
      error = unreadable(this.options.file, cause as Error)
    } finally {
      this.end({ expected: error === null, error, warnings: [] })
    }
  }

  /** A recording whose lines nobody takes ends here too. */
  async stop(): Promise<void> {
    this.stopped.abort()
    this.end({ expected: true, error: null, warnings: [] })
  }

  private async *recorded(): AsyncGenerator<string> {
    const splitter = new LineSplitter()
    for await (const piece of createReadStream(this.options.file, 'latin1')) yield* splitter.push(piece as string)
    const torn = splitter.end()
    if (torn !== undefined) yield torn
  }
}

/** Keeps the distance in time between the first record and each later one. */
class Pace {
  private readonly signal: AbortSignal
  private first: bigint | undefined
  private startedMs = 0

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  async until(time: bigint | undefined): Promise<void> {
    if (time === undefined) return
    if (this.first === undefined) {
      this.first = time
      this.startedMs = performance.now()
    }
    const dueMs = this.startedMs + Number(time - this.first) / 1e6
    for (let leftMs = dueMs - performance.now(); leftMs > 0; leftMs = dueMs - performance.now()) {
      await delay(Math.min(leftMs, timerMsMax), undefined, { signal: this.signal }).catch(() => {})
      if (this.signal.aborted) return
    }
  }
}

/** Node.js has no longer timers. */
const timerMsMax = 2 ** 31 - 1

/** The time of a line; undefined if it has none: it is passed on at once, for the parser to reject. */
function timeOf(line: string): bigint | undefined {
  const time = line.split('\t', 3)[2]
  return time !== undefined && /^\d{1,19}$/.test(time) ? BigInt(time) : undefined
}

/** Opened once before the run, so that a wrong path is told at once. */
async function checkRecording(file: string): Promise<void> {
  const handle = await open(file).catch((cause: Error) => {
    throw unreadable(file, cause)
  })
  try {
    const { size } = await handle.stat()
    const isFolder = (await handle.stat()).isDirectory()
    if (!isFolder && size > 0) return
    throw isFolder
      ? new ProbeError('recording-is-folder', `Expected a recording at ${file}, it is a folder.`, form)
      : noRecording(file)
  } finally {
    await handle.close()
  }
}

const form = 'A recording is a file of lines of the protocol, as a probe printed them.'

function noRecording(file: string): ProbeError {
  return new ProbeError('recording-empty', `Expected a recording at ${file}, no line of it is a record.`, form)
}

function unreadable(file: string, cause: Error): ProbeError {
  return new ProbeError(
    'recording-unreadable',
    `Expected a recording at ${file}, cannot read it: ${cause.message}`,
    'Give the path of a readable file: --probe replay:FILE.',
    { cause },
  )
}
