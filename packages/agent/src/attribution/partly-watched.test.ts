import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeathEvent, Event } from '@whokilled/shared/event'
import { gapsAmong } from '@whokilled/shared/gap'
import { describe, expect, it } from 'vitest'
import { eventsOf } from '../../../../test/ways/tell.ts'
import { isDeath } from '../../test/agent-program.ts'
import { bootId, init, isCoverage, linesOf, scanned, type Told, watchStart } from '../../test/recorded-host.ts'
import { Agent } from '../agent.ts'
import { ProbeError } from '../errors.ts'
import type { ScannedProcess } from '../process/proc-scan.ts'
import { snapshotOf } from '../process/snapshot.ts'
import { EventStamp } from '../stamp.ts'
import { UserNames } from '../user-names.ts'

/** What is told of a service when not all of its life was watched: the same signals, and less certainty. */

const second = 1_000_000_000n
const older = scanned({ pid: 4242, comm: 'nginx', cgroup: '/system.slice/nginx.service' })
const bash = scanned({ pid: 900, comm: 'bash', uid: 1001 })
const start = { start: 600n * second }
/** A service that begins one second into the watching. */
const younger = watchStart + second
const begins: Told[] = [
  { type: 'fork', pid: 4242, start: younger, ppid: 1, pstart: 10_000_000n, afterMs: 1_000 },
  {
    ...{ type: 'exec', pid: 4242, start: younger, comm: 'nginx', exe: '/usr/bin/nginx', argn: 6, argv: 'nginx\0' },
    ...{ cgroup: '/system.slice/nginx.service' },
  } as Told,
]

const beats = (count: number): Told[] =>
  Array.from({ length: count }, () => ({ type: 'heartbeat', real: 0n, mono: 0n, boot: 0n, afterMs: 1_000 }))
const exit = (code: number, of: object = start): Told => ({ type: 'exit', pid: 4242, ...of, code, afterMs: 1 })
const sent = (sig: number, facts: object = {}, by = 900): Told =>
  ({
    ...{ type: 'signal', pid: by, tid: by, sig, code: 0, info: 'user', group: 1, result: 'delivered', call: 'kill' },
    ...{ arg: 4242, ctx: 0, exiting: 0, tpid: 4242, ttid: 4242, tstart: start.start, disp: 'default', blocked: 0 },
    ...facts,
  }) as Told
const term = sent(15, { disp: 'handler' })
const raises = (sig: number, facts: object = {}) => sent(sig, facts, 4242)

interface ProbeRunTold {
  readonly told: readonly Told[]
  /** Seconds after the watching first began. */
  readonly from?: number
  readonly processes?: readonly ScannedProcess[]
  /** What is there when /proc is read again. */
  readonly later?: readonly ScannedProcess[]
  readonly lines?: (lines: string[]) => string[]
}

/** One agent follows its probe over several runs; after each but the last the probe has crashed. */
async function deathsOver(runs: readonly ProbeRunTold[]): Promise<DeathEvent[]> {
  const events: Event[] = []
  let scans: (readonly ScannedProcess[])[] = []
  const agent = new Agent({
    config: {
      services: [],
      publish: { signals: true, programLifeMsMin: 1_000 },
      redactArguments: true,
      endedProcessesMax: 1_000,
    },
    stamp: new EventStamp({ host: { id: 'host-1', name: 'web-3', bootId }, secret: 'secret', version: '0.0.0' }),
    sink: { accept: async (event) => void events.push(event), takeDropped: () => undefined },
    bootId,
    userNames: new UserNames('/dev/null'),
    scan: async () => (scans.length > 1 ? scans.shift() : scans[0]),
    canary: false,
  })
  for (const { told, from = 0, processes = [init, older, bash], later = processes, lines = asTheyAre } of runs) {
    scans = [processes, later]
    await agent.follow(
      { kind: 'systemtap', start: () => Promise.reject(new Error('not used')) },
      {
        async *lines() {
          yield* lines(linesOf(told, watchStart + BigInt(from) * second))
        },
        stop: async () => undefined,
        ended: Promise.resolve({ expected: false, error: new ProbeError('x', 'the tracer crashed', ''), warnings: [] }),
      },
    )
  }
  return events.filter(isDeath)
}

const asTheyAre = (lines: string[]) => lines

async function deathOver(...runs: ProbeRunTold[]): Promise<DeathEvent> {
  const [death, ...more] = await deathsOver(runs)
  if (death === undefined || more.length > 0) throw new Error(`Expected one death, found ${more.length + 1}.`)
  return death
}

const gapsOf = ({ evidence }: DeathEvent) => gapsAmong(evidence).map(({ why }) => why)

describe('of a service that is older than the watching', () => {
  it('a kill is certain, and the service described in full', async () => {
    expect(await deathOver({ told: [...beats(1), sent(9), exit(9)] })).toMatchObject({
      cause: 'signal',
      killer: { pid: 900, uid: 1001 },
      victim: { pid: 4242, args: ['nginx'], exe: '/usr/bin/nginx', ppid: 1 },
      verdict: { confidence: 'certain', reasons: ['the signal and the death were both seen', 'no records were lost'] },
    })
  })

  it('an exit soon after the beginning may have been asked for before it', async () => {
    const death = await deathOver({ told: [...beats(5), exit(0)] })
    expect(death).toMatchObject({
      cause: 'exit',
      verdict: {
        confidence: 'likely',
        reasons: ['its exit was seen', 'the watching had only just begun'],
        alternatives: ['somebody may have asked it to end, and that was not seen'],
      },
    })
    expect(gapsOf(death)).toEqual(['just-begun'])
    expect(await deathOver({ told: [...beats(95), exit(0)] })).toMatchObject({ verdict: { confidence: 'certain' } })
  })

  it('a request may not have been the first', async () => {
    const death = await deathOver({ told: [...beats(5), term, exit(143 << 8)] })
    expect(death).toMatchObject({ cause: 'signal', killer: { pid: 900 }, verdict: { confidence: 'likely' } })
    expect(death.verdict.reasons.at(-1)).toBe('the watching had only just begun')
    const later = await deathOver({ told: [...beats(95), term, exit(143 << 8)] })
    expect(later.verdict.confidence).toBe('certain')
  })

  it('a signal that it sent to itself may be one that it passed on', async () => {
    expect(await deathOver({ told: [...beats(5), raises(15), exit(15)] })).toMatchObject({
      cause: 'self',
      verdict: { confidence: 'likely', alternatives: [expect.stringContaining('have passed it on to itself')] },
    })
    const abort = raises(6, { call: 'tgkill' })
    expect((await deathOver({ told: [...beats(2), abort, exit(6)] })).verdict.confidence).toBe('likely')
    expect((await deathOver({ told: [...beats(8), abort, exit(6)] })).verdict.confidence).toBe('certain')
  })

  it('a signal that nobody saw may have been sent before', async () => {
    const death = await deathOver({ told: [...beats(1), exit(15)] })
    expect(death.verdict).toMatchObject({
      confidence: 'possible',
      reasons: ['its death was seen, the signal that caused it was not', 'the watching had only just begun'],
    })
  })
})

describe('of a service that began while it was watched', () => {
  const born = { start: younger }
  const again = scanned({ ...older, startTicks: Number(younger / 10_000_000n) })

  it('nothing that was before can matter', async () => {
    expect(await deathOver({ told: [...begins, ...beats(3), exit(0, born)], processes: [init, bash] })).toMatchObject({
      cause: 'exit',
      verdict: { confidence: 'certain' },
      evidence: [{ kind: 'exit' }],
    })
  })

  it('an exit soon after the tracer crashed may have been asked for in the gap', async () => {
    const death = await deathOver(
      { told: [...begins, ...beats(100)], processes: [init, bash] },
      { told: [...beats(3), exit(0, born)], from: 110, processes: [init, again, bash] },
    )
    expect(death).toMatchObject({
      cause: 'exit',
      verdict: {
        confidence: 'likely',
        reasons: ['its exit was seen', 'nobody was watching before it: the tracer crashed'],
      },
    })
    expect(gapsOf(death)).toEqual(['probe-ended'])
  })

  it('an exit soon after lost records may have been asked for in one of them', async () => {
    const lines = (all: string[]) => all.filter((_, index) => index !== 10)
    const death = await deathOver({
      told: [...begins, ...beats(20), exit(0, born)],
      lines,
      processes: [init, bash],
      later: [init, bash, again],
    })
    expect(death.verdict).toMatchObject({
      confidence: 'likely',
      reasons: ['its exit was seen', '1 record was lost before it'],
    })
    expect(gapsOf(death)).toEqual(['records-lost'])
  })
})

describe('when the tracer was started again', () => {
  it('a request from before and an exit after it belong together, with less certainty', async () => {
    const death = await deathOver({ told: [...beats(100), term] }, { told: [...beats(1), exit(143 << 8)], from: 105 })
    expect(death).toMatchObject({ cause: 'signal', killer: { pid: 900 }, verdict: { confidence: 'likely' } })
    expect(gapsOf(death)).toEqual(['probe-ended'])
  })

  it('a service that is gone ended unseen, in that gap', async () => {
    const death = await deathOver({ told: beats(100) }, { told: beats(4), from: 105, processes: [init, bash] })
    expect(death).toMatchObject({
      at: '2026-11-22T01:01:45.000000Z',
      cause: 'unknown',
      killer: null,
      verdict: {
        confidence: 'possible',
        reasons: ['it ended while nobody was watching'],
        summary:
          'nginx.service ended while nobody was watching, between 01:01:40 and 01:01:45 UTC (the tracer crashed).',
      },
    })
  })

  it('a service that was seen being killed, and is gone, has its killer', async () => {
    const death = await deathOver(
      { told: [...beats(100), sent(9)] },
      { told: beats(4), from: 105, processes: [init, bash] },
    )
    expect(death).toMatchObject({
      at: '2026-11-22T01:01:40.001000Z',
      cause: 'signal',
      killer: { pid: 900 },
      exit: { code: null, signal: null },
      verdict: {
        confidence: 'likely',
        reasons: ['the fatal signal was seen; its end was not, and it is gone'],
        summary: 'nginx.service was killed with SIGKILL by bash (pid 900, uid 1001).',
      },
      evidence: [{ kind: 'gap' }, { kind: 'missed' }],
    })
  })

  it('a signal that it survived did not end it', async () => {
    const death = await deathOver(
      { told: [...beats(98), sent(15, { disp: 'handler' }), ...beats(2)] },
      { told: beats(4), from: 105, processes: [init, bash] },
    )
    expect(death).toMatchObject({
      cause: 'unknown',
      killer: null,
      verdict: { alternatives: ['a signal from before that time may have ended it'] },
    })
  })

  it('a service whose pid another has by now ended unseen, too', async () => {
    const other = scanned({ pid: 4242, comm: 'cron', startTicks: 370_000, cgroup: '/system.slice/cron.service' })
    const death = await deathOver({ told: beats(100) }, { told: beats(4), from: 105, processes: [init, bash, other] })
    expect(death).toMatchObject({ service: { name: 'nginx.service' }, cause: 'unknown' })
    expect(gapsOf(death)).toEqual(['probe-ended'])
  })

  it('of a kernel thread that is gone nothing is told', async () => {
    const thread = { pid: 77, ppid: 2, startTicks: 5, comm: 'kworker/0:1', uid: 0, euid: 0 }
    const daemon = { pid: 2, ppid: 0, startTicks: 1, comm: 'kthreadd', uid: 0, euid: 0 }
    const all = [init, daemon, thread, older, bash]
    const over = [
      { told: beats(100), processes: all },
      { told: beats(4), from: 105, processes: [init, daemon, older, bash] },
    ]
    expect(await deathsOver(over)).toEqual([])
  })
})

describe('when the host slept between a request and the end', () => {
  const slept = (seconds: number): Told => ({ ...(beats(1)[0] as Told), afterMs: seconds * 1_000 })

  it('they belong together: nobody takes time while the host sleeps', async () => {
    const told = [...beats(100), term, slept(10_800), ...beats(2), exit(0)]
    expect(await deathOver({ told })).toMatchObject({ cause: 'signal', killer: { pid: 900 }, exit: { code: 0 } })
    const asked = [...beats(100), term, slept(10_800), { ...raises(15), afterMs: 500 } as Told, exit(15)]
    expect(await deathOver({ told: asked })).toMatchObject({ cause: 'signal', killer: { pid: 900 } })
    const late = [...beats(100), term, slept(10_800), ...beats(95), exit(0)]
    expect(await deathOver({ told: late })).toMatchObject({ cause: 'exit', killer: null })
  })

  it('a kill is as certain as ever', async () => {
    const death = await deathOver({ told: [...beats(100), slept(10_800), sent(9), exit(9)] })
    expect(death).toMatchObject({ cause: 'signal', verdict: { confidence: 'certain' } })
  })
})

describe('on a host that was really suspended (recorded under SystemTap)', () => {
  it('the sleep is a gap, and a kill right after it is told as any other', async () => {
    const file = join(import.meta.dirname, '../../../../test/recordings/suspended.wkr')
    const lines = readFileSync(file, 'latin1').split('\n').slice(0, -1)
    const events = await eventsOf({ lines, snapshot: snapshotOf(file) })
    expect(
      events.filter(isCoverage).map(({ state, why, reason, lostRecords }) => [state, why, reason, lostRecords]),
    ).toEqual([
      ['watching', null, null, 0],
      ['gap', 'host-suspended', 'the host was suspended for 5.0 s', 0],
      ['watching', null, null, 0],
      ['stopped', 'probe-ended', 'the recording was at its end', 0],
    ])
    const deaths = events.filter(isDeath)
    expect(deaths.find(({ service }) => service.name === 'victim')).toMatchObject({
      cause: 'signal',
      exit: { signal: { name: 'SIGKILL' } },
      killer: { comm: 'sender' },
      verdict: { confidence: 'certain' },
    })
  })
})

describe('when a pid is used again while records are lost', () => {
  it('the service that had it ended unseen', async () => {
    const fork: Told = { type: 'fork', pid: 4242, start: watchStart + 100n * second, ppid: 1, pstart: 10_000_000n }
    const lines = (all: string[]) => all.filter((_, index) => index !== 101)
    const death = await deathOver({
      told: [...beats(100), exit(9), fork, ...beats(4)],
      lines,
      processes: [init, bash, older],
    })
    expect(death).toMatchObject({ service: { name: 'nginx.service' }, cause: 'unknown', killer: null })
    expect(gapsOf(death)).toEqual(['records-lost'])
  })
})
