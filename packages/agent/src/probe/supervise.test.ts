import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ProbeError } from '../errors.ts'
import type { Probe, ProbeEnd, ProbeKind, ProbeRun } from './probe.ts'
import { supervise } from './supervise.ts'

const pace = { retryMsMin: 20, retryMsMax: 70, goodRunMs: 400 }
const crash = new ProbeError('probe-crashed', 'expected it to run on, it crashed', 'It is started again.')
const crashed: ProbeEnd = { expected: false, error: crash, warnings: [] }

/** A probe whose runs end as this says, each after `runMs`; `undefined` runs until it is stopped. */
class ScriptedProbe implements Probe {
  readonly kind: ProbeKind
  readonly runs: ScriptedRun[] = []
  private readonly script: ((run: ScriptedRun) => Promise<ProbeEnd> | undefined)[]

  constructor(script: ScriptedProbe['script'], kind: ProbeKind = 'systemtap') {
    this.script = script
    this.kind = kind
  }

  async start(): Promise<ProbeRun> {
    const step = this.script[this.runs.length] ?? this.script.at(-1)
    const run = new ScriptedRun()
    this.runs.push(run)
    void step?.(run)?.then((end) => run.finish(end))
    return run
  }
}

class ScriptedRun implements ProbeRun {
  stops = 0
  finish: (end: ProbeEnd) => void = () => {}
  readonly ended = new Promise<ProbeEnd>((resolve) => {
    this.finish = resolve
  })

  async *lines(): AsyncGenerator<string> {
    yield 'a line'
    await this.ended
  }

  async stop(): Promise<void> {
    this.stops += 1
    this.finish({ expected: true, error: null, warnings: [] })
  }
}

interface Supervised {
  readonly retries: number[]
  readonly codes: string[]
  readonly warnings: string[]
  readonly stop: () => void
  readonly done: Promise<void>
}

function start(probe: Probe, follow = toItsEnd): Supervised {
  const stopping = new AbortController()
  const [retries, codes, warnings]: [number[], string[], string[]] = [[], [], []]
  const done = supervise({
    probe,
    follow,
    signal: stopping.signal,
    pace,
    onTrouble: ({ code }, retryInMs) => {
      codes.push(code)
      retries.push(retryInMs)
    },
    onWarning: (warning) => warnings.push(warning),
  })
  return { retries, codes, warnings, stop: () => stopping.abort(), done }
}

async function toItsEnd(_: Probe, run: ProbeRun): Promise<ProbeEnd> {
  for await (const _line of run.lines());
  return run.ended
}

describe('a supervised probe', () => {
  it('is started again after each end, each time later, up to the longest wait', async () => {
    const probe = new ScriptedProbe([async () => crashed])
    const supervised = start(probe)
    await expect.poll(() => supervised.retries.length).toBe(4)
    supervised.stop()
    await supervised.done
    expect(supervised.retries.slice(0, 4)).toEqual([20, 40, 70, 70])
    expect(supervised.codes[0]).toBe('probe-crashed')
  })

  it('waits the shortest time again after a run that lasted', async () => {
    const probe = new ScriptedProbe([
      async () => crashed,
      async () => crashed,
      async () => {
        await pause(pace.goodRunMs + 50)
        return crashed
      },
    ])
    const supervised = start(probe)
    await expect.poll(() => supervised.retries.length, { timeout: 5_000 }).toBe(3)
    supervised.stop()
    await supervised.done
    expect(supervised.retries).toEqual([20, 40, 20])
  })

  it('that ends without an error has ended too early', async () => {
    const supervised = start(new ScriptedProbe([async () => ({ expected: true, error: null, warnings: ['slow'] })]))
    await expect.poll(() => supervised.codes[0]).toBe('probe-ended')
    supervised.stop()
    await supervised.done
    expect(supervised.warnings[0]).toBe('slow')
  })

  it('that cannot start the first time is not tried again', async () => {
    let starts = 0
    const probe: Probe = {
      kind: 'bpftrace',
      start: () => {
        starts += 1
        return Promise.reject(crash)
      },
    }
    await expect(start(probe).done).rejects.toBe(crash)
    expect(starts).toBe(1)
  })

  it('that cannot start a later time is tried again', async () => {
    const runs = new ScriptedProbe([async () => crashed])
    let starts = 0
    const probe: Probe = { kind: 'bpftrace', start: () => (++starts === 2 ? Promise.reject(crash) : runs.start()) }
    const supervised = start(probe)
    await expect.poll(() => starts).toBeGreaterThan(2)
    supervised.stop()
    await supervised.done
    expect(supervised.retries.slice(0, 2)).toEqual([20, 40])
  })

  it('is stopped when the signal aborts, and not started again', async () => {
    const probe = new ScriptedProbe([() => undefined])
    const supervised = start(probe)
    await expect.poll(() => probe.runs.length).toBe(1)
    supervised.stop()
    await supervised.done
    expect(probe.runs.map(({ stops }) => stops)).toEqual([1])
    expect(supervised.codes).toEqual([])
  })

  it('does not keep the end waiting for its next start', async () => {
    const slow = { ...pace, retryMsMin: 60_000, retryMsMax: 60_000 }
    const stopping = new AbortController()
    const probe = new ScriptedProbe([async () => crashed])
    const done = supervise({
      probe,
      follow: toItsEnd,
      signal: stopping.signal,
      pace: slow,
      onTrouble: () => stopping.abort(),
      onWarning: () => {},
    })
    await done
    expect(probe.runs).toHaveLength(1)
  })

  it('is stopped before it is started again when nobody follows it any more', async () => {
    const probe = new ScriptedProbe([() => undefined])
    const supervised = start(probe, () => Promise.reject(crash))
    await expect.poll(() => probe.runs.length).toBeGreaterThan(1)
    supervised.stop()
    await supervised.done
    expect(probe.runs[0]?.stops).toBe(1)
  })

  it('ends with an error that is not its own, stopped', async () => {
    const probe = new ScriptedProbe([() => undefined])
    const broken = new TypeError('a mistake in the program')
    await expect(start(probe, () => Promise.reject(broken)).done).rejects.toBe(broken)
    expect(probe.runs.map(({ stops }) => stops)).toEqual([1])
  })

  it('that is a recording runs once', async () => {
    const probe = new ScriptedProbe([async () => ({ expected: true, error: null, warnings: [] })], 'replay')
    await start(probe).done
    expect(probe.runs).toHaveLength(1)
  })
})
