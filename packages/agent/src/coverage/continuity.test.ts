import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '@whokilled/shared/event'
import { gapsAmong } from '@whokilled/shared/gap'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isDeath } from '../../test/agent-program.ts'
import { bootId, init, isCoverage, linesOf, scanned, type Told, watchStart } from '../../test/recorded-host.ts'
import { Agent } from '../agent.ts'
import type { ScannedProcess } from '../process/proc-scan.ts'
import { EventStamp } from '../stamp.ts'
import { UserNames } from '../user-names.ts'
import { WatchMemory } from './watch-memory.ts'

const minute = 60_000_000_000n
const nginx = scanned({ pid: 4242, comm: 'nginx', cgroup: '/system.slice/nginx.service', uid: 33 })
const shop = scanned({
  pid: 5151,
  comm: 'shop',
  args: ['shop', '--token=hunter2'],
  cgroup: '/system.slice/shop.service',
})
const worker = scanned({ pid: 4243, ppid: 4242, comm: 'nginx', cgroup: '/system.slice/nginx.service' })
const everybody = [init, nginx, worker, shop]

const beat = (afterMs: number): Told => ({ type: 'heartbeat', real: 0n, mono: 0n, boot: 0n, afterMs })
const beats = (count: number): Told[] => Array.from({ length: count }, () => beat(1_000))
const exit = ({ pid, startTicks }: ScannedProcess, code: number): Told => {
  return { type: 'exit', pid, start: BigInt(startTicks) * 10_000_000n, code }
}

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whokilled-continuity-'))
  file = join(folder, 'last-watch.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Run {
  readonly told?: readonly Told[]
  /** What /proc shows; undefined: it cannot be read. */
  readonly processes: readonly ScannedProcess[] | undefined
  /** Nanoseconds since boot. */
  readonly from?: bigint
  readonly boot?: string
  /** Until when boots before were: how far this boot's wall clock is from that of the first. */
  readonly bootedLaterNs?: bigint
  readonly endsInOrder?: boolean
  /** The event after which nothing is kept any more, as if the agent was killed right then. */
  readonly killedAt?: (event: Event) => boolean
}

/** One run of an agent on a recorded host; gives what reached the disk. */
async function runs({ told = beats(3), processes, from = watchStart, boot = bootId, ...run }: Run): Promise<Event[]> {
  const events: Event[] = []
  const memory = new WatchMemory(file, 'host-1')
  const killed = new AbortController()
  const agent = new Agent({
    config: {
      services: [],
      publish: { signals: true, programLifeMsMin: 1_000 },
      redactArguments: true,
      endedProcessesMax: 1_000,
    },
    stamp: new EventStamp({ host: { id: 'host-1', name: 'web-3', bootId: boot }, secret: 'secret', version: '0.0.0' }),
    sink: {
      async accept(event) {
        if (run.killedAt?.(event)) killed.abort()
        if (!killed.signal.aborted) events.push(event)
      },
      settled: () => (killed.signal.aborted ? new Promise(() => undefined) : Promise.resolve()),
      takeDropped: () => undefined,
    },
    bootId: boot,
    userNames: new UserNames('/dev/null'),
    scan: async () => processes,
    canary: false,
    memory,
  })
  const lines = movedBy(run.bootedLaterNs ?? 0n, linesOf(told, from))
  await agent.follow(
    { kind: 'systemtap', start: () => Promise.reject(new Error('not used')) },
    {
      async *lines() {
        yield* lines
      },
      stop: async () => undefined,
      ended: Promise.resolve({ expected: true, error: null, warnings: [] }),
    },
  )
  if (run.endsInOrder) await agent.leave()
  await new Promise((resolve) => setImmediate(resolve))
  return events
}

function movedBy(ns: bigint, lines: string[]): string[] {
  return lines.map((line) => line.replace(/\treal=(\d+)/, (_, real) => `\treal=${BigInt(real) + ns}`))
}

const statesOf = (events: readonly Event[]) =>
  events.filter(isCoverage).map(({ state, why, reason }) => [state, why, reason])
const victimsOf = (events: readonly Event[]) => events.filter(isDeath).map(({ victim }) => victim.pid)

describe('an agent that comes back', () => {
  it('says first what the one before could not, then that nobody was watching, and who went meanwhile', async () => {
    await runs({ processes: everybody, told: beats(11) })
    const events = await runs({ processes: [init, shop], from: watchStart + 5n * minute })
    expect(statesOf(events)).toEqual([
      ['stopped', 'agent-killed', 'the agent was killed or crashed'],
      ['gap', 'agent-killed', 'the agent was killed or crashed'],
      ['watching', null, null],
      ['stopped', 'agent-stopped', 'the agent was stopped'],
    ])
    const [stopped, gap, watching] = events.filter(isCoverage)
    expect(stopped).toMatchObject({ from: '2026-11-22T01:00:00.000000Z', to: '2026-11-22T01:00:11.000000Z' })
    expect(gap).toMatchObject({ from: stopped?.to, to: '2026-11-22T01:05:00.000000Z' })
    expect(watching).toMatchObject({ from: gap?.to, to: gap?.to })

    const deaths = events.filter(isDeath)
    expect(deaths).toHaveLength(1)
    expect(deaths[0]).toMatchObject({
      at: '2026-11-22T01:05:00.000000Z',
      cause: 'unknown',
      service: { name: 'nginx.service', kind: 'systemd' },
      victim: { pid: 4242, uid: 33, args: ['nginx'], exe: '/usr/bin/nginx', startedAt: '2026-11-22T00:10:00.000000Z' },
      evidence: [{ kind: 'gap', from: gap?.from, to: gap?.to, why: 'agent-killed' }, { kind: 'missed' }],
      verdict: {
        confidence: 'possible',
        summary:
          'nginx.service ended while nobody was watching, between 01:00:11 and 01:05:00 UTC (the agent was killed or crashed).',
      },
    })
  })

  it('after an orderly stop has nothing to say for the one before', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const events = await runs({ processes: everybody, from: watchStart + minute })
    expect(statesOf(events).slice(0, 2)).toEqual([
      ['gap', 'agent-stopped', 'the agent was not running'],
      ['watching', null, null],
    ])
    expect(victimsOf(events)).toEqual([])
  })

  it('tells each end once, however often agents come back', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const first = await runs({ processes: [init, shop], from: watchStart + minute })
    expect(victimsOf(first)).toEqual([4242])
    expect(victimsOf(await runs({ processes: [init, shop], from: watchStart + 2n * minute }))).toEqual([])
    expect(victimsOf(await runs({ processes: [init], from: watchStart + 3n * minute }))).toEqual([5151])
  })

  it('tells as the same event what may have been told already when the one before was killed', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const back = { processes: [init, shop], from: watchStart + minute }
    const killedAt = (event: Event) => event.type === 'death'
    expect(victimsOf(await runs({ ...back, killedAt }))).toEqual([])
    // The clock has drifted meanwhile.
    const again = await runs({ ...back, from: watchStart + 2n * minute, bootedLaterNs: 1_234_000n })
    const [death] = again.filter(isDeath)
    expect(death).toMatchObject({ victim: { pid: 4242 }, at: '2026-11-22T01:01:00.000000Z' })
    expect(death?.verdict.summary).toContain('(the agent was not running)')
    expect(gapsAmong(death?.evidence ?? []).map(({ why }) => why)).toEqual(['agent-stopped'])
    expect(victimsOf(await runs({ ...back, from: watchStart + 3n * minute }))).toEqual([])
  })

  it('tells again, with the same time, of an end that was seen right before the one before was killed', async () => {
    const dies = [...beats(2), exit(nginx, 9), ...beats(2)]
    const killedAt = (event: Event) => event.type === 'death'
    expect(victimsOf(await runs({ processes: everybody, told: dies, killedAt }))).toEqual([])
    const [death] = (await runs({ processes: [init, shop], from: watchStart + minute })).filter(isDeath)
    expect(death).toMatchObject({ victim: { pid: 4242 }, cause: 'unknown', at: '2026-11-22T01:00:02.001000Z' })
  })

  it('does not tell again of an end that the one before has told', async () => {
    const dies = [...beats(2), exit(nginx, 9), beat(1)]
    expect(victimsOf(await runs({ processes: everybody, told: dies }))).toEqual([4242])
    expect(victimsOf(await runs({ processes: [init, shop], from: watchStart + minute }))).toEqual([])
  })

  it('describes in full who ends just before /proc is read, when only the record of the end is there', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const [death, ...more] = (
      await runs({ processes: [init, worker, shop], told: [exit(nginx, 9), ...beats(4)], from: watchStart + minute })
    ).filter(isDeath)
    expect(more).toEqual([])
    expect(death).toMatchObject({
      service: { name: 'nginx.service' },
      exit: { signal: { name: 'SIGKILL' } },
      victim: { args: ['nginx'], uid: 33 },
      verdict: {
        reasons: [
          'its death was seen, the signal that caused it was not',
          expect.stringContaining('the agent was not running'),
        ],
      },
    })
  })

  it('is not misled by another process with the same pid', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const other = scanned({ pid: 4242, comm: 'cron', startTicks: 363_000, cgroup: '/system.slice/cron.service' })
    const events = await runs({ processes: [init, shop, other], told: beats(4), from: watchStart + minute })
    expect(events.filter(isDeath).map(({ service }) => service.name)).toEqual(['nginx.service'])
    expect(victimsOf(await runs({ processes: [init, shop], from: watchStart + 3n * minute }))).toEqual([4242])
  })

  it('tells of nobody where /proc does not show who is there', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const events = await runs({ processes: undefined, told: beats(4), from: watchStart + minute })
    expect(victimsOf(events)).toEqual([])
    expect(statesOf(events)[0]?.[0]).toBe('gap')
  })

  it('after a restart of the host tells of every service, and blames nobody', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const later = { boot: '22222222-2222-4333-8444-555555555555', bootedLaterNs: 100n * minute, from: minute }
    // The same pid, and it began earlier after boot than the one before did.
    const newNginx = scanned({ pid: 4242, comm: 'nginx', startTicks: 3_000, cgroup: '/system.slice/nginx.service' })
    const events = await runs({ processes: [init, newNginx], ...later })
    const deaths = events.filter(isDeath)
    expect(deaths.map(({ service }) => service.name)).toEqual(['nginx.service', 'shop.service'])
    expect(deaths[0]).toMatchObject({
      cause: 'unknown',
      killer: null,
      host: { bootId: later.boot },
      victim: { id: `${bootId}:60000:4242`, startedAt: '2026-11-22T00:10:00.000000Z' },
      verdict: {
        confidence: 'possible',
        summary:
          'nginx.service ended while nobody was watching, between 01:00:03 and 01:41:00 UTC (the host was restarted).',
      },
    })
    expect(statesOf(events)[0]).toEqual(['gap', 'host-restarted', 'the host was restarted'])
    expect(victimsOf(await runs({ processes: [init, newNginx], ...later, from: 2n * minute }))).toEqual([])
  })

  it('says that nothing had stopped the agent where the host went down at once', async () => {
    await runs({ processes: everybody, told: beats(11) })
    const later = { boot: '22222222-2222-4333-8444-555555555555', bootedLaterNs: 100n * minute, from: minute }
    const [stopped, gap] = statesOf(await runs({ processes: [init], ...later }))
    expect(stopped).toEqual(['stopped', 'host-restarted', expect.stringContaining('a crash or a power failure')])
    expect(gap?.[2]).toBe(stopped?.[2])
  })

  it('remembers no arguments that look like secrets, and lets nobody else read the rest', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('--token=<redacted>')
    expect(text).not.toContain('hunter2')
    const [death] = (await runs({ processes: [init, nginx, worker], from: watchStart + minute })).filter(isDeath)
    expect(death?.victim).toMatchObject({ args: ['shop', '--token=<redacted>'], redacted: true })
  })

  it('remembers main processes alone, of a bounded number, those with a unit first', async () => {
    const programs = Array.from({ length: 1_200 }, (_, index) => scanned({ pid: 10_000 + index, comm: `p${index}` }))
    await runs({ processes: [...programs, ...everybody], endsInOrder: true })
    const { last } = new WatchMemory(file, 'host-1')
    const names = [...(last?.processes.values() ?? [])].map(({ process }) => process.comm)
    expect(names).toHaveLength(1_000)
    expect(names.slice(0, 3)).toEqual(['nginx', 'shop', 'p0'])
    expect([...(last?.processes.values() ?? [])].filter(({ process }) => process.pid === worker.pid)).toEqual([])
  })
})

describe('what an agent remembers', () => {
  it('is left aside with a word of why when it is damaged, of another host, or of another version', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    const whole = readFileSync(file, 'utf8')
    const head = whole.split('\n')[0] ?? ''
    for (const [text, trouble] of [
      ['', 'damaged'],
      ['\n', 'damaged'],
      [whole.replace('host-1', 'host-2'), 'another host'],
      [whole.replace('"v":1', '"v":2'), 'version'],
      [whole.replace('"told"', '"untold"').replace('"process":', '"Process":'), 'damaged'],
      [`${head}\n{"process":{"id":1}}\n`, 'damaged'],
      [`${head}\n\0\0\0\0\n`, 'damaged'],
    ]) {
      writeFileSync(file, text ?? '')
      const memory = new WatchMemory(file, 'host-1')
      expect(memory.last).toBeUndefined()
      expect(memory.trouble).toContain(trouble)
    }
    const [first] = statesOf(await runs({ processes: [init], from: watchStart + minute }))
    expect(first).toEqual(['watching', null, null])
  })

  it('is whole also when its last line is torn', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    appendFileSync(file, '{"process":{"id":"x')
    expect(new WatchMemory(file, 'host-1')).toMatchObject({ trouble: undefined, last: { isStopped: true } })
  })

  it('stays small however long it watches and however much comes and goes', async () => {
    const told = Array.from({ length: 700 }, (_, index): Told[] => {
      const start = watchStart + BigInt(index + 1) * 10_000_000_000n
      return [
        { type: 'fork', pid: 20_000 + index, start, ppid: 1, pstart: 10_000_000n, afterMs: 1 },
        { type: 'exec', pid: 20_000 + index, start, comm: `job${index}`, argn: 4, argv: 'job\0', afterMs: 1 },
        ...beats(10),
        { type: 'exit', pid: 20_000 + index, start, code: 0, afterMs: 1 },
      ]
    }).flat()
    await runs({ processes: everybody, told, endsInOrder: true })
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(1_100)
    expect(new WatchMemory(file, 'host-1').last?.processes.size).toBe(2)
  }, 60_000)

  it('is removed when the disk fails, since an old memory would tell of deaths twice', async () => {
    await runs({ processes: everybody, endsInOrder: true })
    // A folder in its place cannot be written, not even by root.
    mkdirSync(`${file}.new`)
    const memory = new WatchMemory(file, 'host-1')
    memory.begin({ bootId, runId: 'run', watchedSince: '2026-11-22T01:00:00.000000Z' }, watchStart, [])
    expect(existsSync(file)).toBe(false)
    expect(memory.counters.failed).toBe(1)
    rmSync(`${file}.new`, { recursive: true })
    memory.see('2026-11-22T01:00:10.000000Z', watchStart, [], () => expect.unreachable())
    expect(new WatchMemory(file, 'host-1').last?.seen.at).toBe('2026-11-22T01:00:10.000000Z')
  })
})
