import type { CoverageEvent, DeathEvent, Event, SignalEvent } from '@whokilled/shared/event'
import { Agent, type AgentOptions } from '../src/agent.ts'
import type { EventSink } from '../src/event-sink.ts'
import type { ProbeRun } from '../src/probe/probe.ts'
import type { ScannedProcess } from '../src/process/proc-scan.ts'
import { encodeRecord } from '../src/record/encode.ts'
import type { KernelRecord } from '../src/record/record.ts'
import { EventStamp } from '../src/stamp.ts'
import { UserNames } from '../src/user-names.ts'

/** A record without its number and time, which the host gives; `afterMs` since the one before, 1 if left out. */
export type Told = {
  [R in KernelRecord as R['type']]: Omit<R, 'seq' | 'time'> & { afterMs?: number }
}[KernelRecord['type']]

export interface HostOptions {
  readonly processes?: readonly ScannedProcess[]
  /** Told of each scan. */
  readonly onScan?: () => void
  /** What later scans find, one after the other; the same as the first if left out. */
  readonly laterScans?: (readonly ScannedProcess[])[]
  readonly config?: Partial<AgentOptions['config']>
  readonly only?: string
  /** Changes the lines before they are read: to shuffle, drop or break them. */
  readonly lines?: (lines: string[]) => string[]
  /** Where events go instead of into the answer. */
  readonly sink?: EventSink
}

type Lines = Iterable<string> | AsyncIterable<string>

/** Nanoseconds since boot when recorded hosts begin to be watched: one hour. */
export const watchStart = 3_600_000_000_000n
/** Wall-clock time at boot: 2026-11-22T00:00:00Z. */
const bootedAt = BigInt(Date.UTC(2026, 10, 22)) * 1_000_000n
export const bootId = '11111111-2222-4333-8444-555555555555'

export const clocksAt = (boot: bigint) => ({ real: bootedAt + boot, mono: boot, boot })

/** Lines of the protocol for what was told, after the line that starts a probe. */
export function linesOf(told: readonly Told[], from = watchStart): string[] {
  let time = from
  const start = { type: 'start', seq: 1, time, v: 1, probe: 'systemtap', ...clocksAt(time) } as const
  const records = told.map(({ afterMs = 1, ...record }, index) => {
    time += BigInt(Math.round(afterMs * 1_000)) * 1_000n
    return { ...record, ...('boot' in record ? clocksAt(time) : {}), seq: index + 2, time } as KernelRecord
  })
  return [start, ...records].map(encodeRecord)
}

/** What a host publishes on which these records are made. */
export async function eventsOf(told: readonly Told[], options: HostOptions = {}): Promise<Event[]> {
  const lines = linesOf(told)
  return eventsOfLines(options.lines?.(lines) ?? lines, options)
}

export async function eventsOfLines(lines: Lines, options: HostOptions = {}): Promise<Event[]> {
  const events: Event[] = []
  const first = options.processes ?? [init]
  const scans = [first, ...(options.laterScans ?? [])]
  const agent = new Agent({
    config: {
      services: [],
      publish: { signals: true, programLifeMsMin: 1_000 },
      redactArguments: true,
      endedProcessesMax: 1_000,
      ...options.config,
    },
    stamp: new EventStamp({ host: { id: 'host-1', name: 'web-3', bootId }, secret: 'secret', version: '0.0.0' }),
    sink: options.sink ?? { accept: async (event) => void events.push(event), takeDropped: () => undefined },
    bootId,
    userNames: new UserNames('/dev/null'),
    scan: async () => {
      options.onScan?.()
      return scans.shift() ?? first
    },
    canary: false,
    only: options.only,
  })
  await agent.follow({ kind: 'replay', start: () => Promise.reject(new Error('not used')) }, runOf(lines))
  return events
}

export async function deathsOf(told: readonly Told[], options?: HostOptions): Promise<DeathEvent[]> {
  return (await eventsOf(told, options)).filter((event): event is DeathEvent => event.type === 'death')
}

export const isSignal = (event: Event): event is SignalEvent => event.type === 'signal'
export const isCoverage = (event: Event): event is CoverageEvent => event.type === 'coverage'

/** A process of a scan of /proc; unless told otherwise a child of init that started ten minutes after boot. */
export function scanned(facts: Partial<ScannedProcess> & { pid: number; comm: string }): ScannedProcess {
  return {
    ppid: 1,
    startTicks: 60_000,
    uid: 0,
    euid: facts.uid ?? 0,
    nspid: facts.pid,
    exe: `/usr/bin/${facts.comm}`,
    args: [facts.comm],
    ...facts,
  }
}

export const init = scanned({ pid: 1, ppid: 0, comm: 'systemd', startTicks: 1, cgroup: '/init.scope' })

function runOf(lines: Lines): ProbeRun {
  return {
    async *lines() {
      yield* lines
    },
    stop: async () => undefined,
    ended: Promise.resolve({ expected: true, error: null, warnings: [] }),
  }
}
