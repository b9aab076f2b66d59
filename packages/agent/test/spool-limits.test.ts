import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '@whokilled/shared/event'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { coverageEvent, deathEvent } from '../../../test/events.ts'
import { Spool, type SpoolOptions } from '../src/spool/spool.ts'
import { SpoolSink } from '../src/spool/spool-sink.ts'
import { signalNumber } from './drop-from-spool.ts'

const never = new AbortController().signal
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-limits-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (options: Partial<SpoolOptions> = {}) =>
  Spool.open({ folder: join(folder, 'spool'), eventsMax: 100, ...options })

const agent = (seq: number) => ({ version: '1', probe: 'replay', runId: 'run', seq })
const at = (seq: number) => new Date(Date.UTC(2026, 10, 22) + seq * 1_000).toISOString()
const of = {
  s: signalNumber,
  d: (seq: number) => deathEvent({ at: at(seq), agent: agent(seq) }),
  w: (seq: number) => coverageEvent({ at: at(seq), agent: agent(seq) }),
  g: (seq: number) =>
    coverageEvent({ at: at(seq), agent: agent(seq), state: 'gap', why: 'records-lost', lostRecords: 7 }),
}

/** Events of these worths, numbered from `from`. */
const story = (worths: string, from = 1): Event[] =>
  Array.from(worths, (worth, index) => of[worth as keyof typeof of](from + index))

async function appendAll(spool: Spool, events: readonly Event[]): Promise<boolean[]> {
  return await Promise.all(events.map((event) => spool.append(JSON.stringify(event), event)))
}

async function waitingIn(spool: Spool): Promise<Event[]> {
  if (spool.length === 0) return []
  return (await spool.read(10_000, never)).map(({ json }) => JSON.parse(json) as Event)
}

const worthsOf = (events: readonly Event[]) =>
  events
    .map((event) => (event.type === 'coverage' ? (event.state === 'watching' ? 'w' : 'g') : event.type.slice(0, 1)))
    .join('')
const seqsOf = (events: readonly Event[]) => events.map((event) => event.agent.seq)

describe('a spool at its limit of events', () => {
  it('drops the oldest of what is worth least: notes of watching but the newest, signals, deaths, gaps', async () => {
    const spool = await open()
    await appendAll(spool, story(`wgwwdsds${'d'.repeat(92)}`))
    expect(spool.length).toBe(100)
    const dropped: number[] = []
    for (let seq = 101; seq <= 106; seq += 1) {
      const before = seqsOf(await waitingIn(spool))
      // What is lent to a reader is not dropped: give it back.
      await spool.read(1, never)
      expect(await spool.append(JSON.stringify(of.d(seq)))).toBe(true)
      const after = new Set(seqsOf(await waitingIn(spool)))
      dropped.push(...before.filter((number) => !after.has(number)))
    }
    expect(dropped).toEqual([3, 6, 8, 5, 7, 9])
    expect(worthsOf(await waitingIn(spool)).slice(0, 3)).toBe('wgw')
    expect(spool.length).toBe(100)
    expect(spool.counters).toMatchObject({ droppedForEvents: 6, droppedForBytes: 0, droppedForAge: 0 })
    await spool.close()
  })

  it('does not take what is worth less than all that it has', async () => {
    const spool = await open()
    await appendAll(spool, story('d'.repeat(100)))
    expect(await appendAll(spool, story('ss', 101))).toEqual([false, false])
    expect(await appendAll(spool, story('sgs', 103))).toEqual([false, true, false])
    expect(seqsOf(await waitingIn(spool))).toEqual([...Array.from({ length: 99 }, (_, n) => n + 2), 104])
    expect(spool.takeLoss()).toMatchObject({ count: 5, parts: { 'limit signal': 4, 'limit death': 1 } })
    await spool.close()
  })

  it('leaves what is on its way to the server', async () => {
    const spool = await open()
    await appendAll(spool, story('s'.repeat(100)))
    const lent = await spool.read(90, never)
    await appendAll(spool, story('d'.repeat(10), 101))
    expect(await spool.append(JSON.stringify(of.s(111)))).toBe(false)
    await spool.remove(lent)
    expect(seqsOf(await waitingIn(spool))).toEqual(Array.from({ length: 10 }, (_, n) => n + 101))
    await spool.close()
  })

  it('drops what was lent and given back by reading anew', async () => {
    const spool = await open()
    await appendAll(spool, story('s'.repeat(100)))
    await spool.read(100, never)
    expect(await spool.append(JSON.stringify(of.s(101)))).toBe(false)
    await spool.read(1, never)
    expect(await spool.append(JSON.stringify(of.s(102)))).toBe(true)
    expect(seqsOf(await waitingIn(spool)).slice(0, 3)).toEqual([1, 3, 4])
    await spool.close()
  })

  it('goes down to a limit that was lowered, step by step', async () => {
    const wide = await open({ eventsMax: 20_000 })
    for (let from = 1; from <= 12_000; from += 1_000) await appendAll(wide, story('s'.repeat(1_000), from))
    await wide.close()
    const narrow = await open({ eventsMax: 100 })
    for (let more = 0; more < 4; more += 1) await narrow.append(JSON.stringify(of.d(20_000 + more)))
    expect(narrow.length).toBeLessThanOrEqual(100)
    expect(narrow.takeLoss()?.count).toBe(12_004 - narrow.length)
    await narrow.close()
  })
})

describe('a spool at its limit of bytes', () => {
  it('drops as many as make room, and counts them apart', async () => {
    const bytes = JSON.stringify(of.s(1)).length
    const spool = await open({ eventsMax: 10_000, bytesMax: bytes * 20 })
    await appendAll(spool, story('s'.repeat(100)))
    expect(spool.bytes).toBeLessThanOrEqual(bytes * 20)
    expect(spool.length).toBeGreaterThan(15)
    expect(spool.counters).toMatchObject({ droppedForEvents: 0, droppedForBytes: 100 - spool.length })
    expect(seqsOf(await waitingIn(spool)).at(-1)).toBe(100)
    await spool.close()
  })
})

describe('a spool at its limit of age', () => {
  it('drops what agents could not publish for so long, also over several runs, and not the time in between', async () => {
    const ageMsMax = 400
    const first = await open({ ageMsMax })
    await appendAll(first, story('gds'))
    await first.close()
    await new Promise((resolve) => setTimeout(resolve, 600))
    const second = await open({ ageMsMax })
    // Ages are told apart by a part of the limit.
    await new Promise((resolve) => setTimeout(resolve, 20))
    await appendAll(second, story('d', 4))
    expect(second.length).toBe(4)
    await new Promise((resolve) => setTimeout(resolve, 600))
    await appendAll(second, story('d', 5))
    expect(seqsOf(await waitingIn(second))).toEqual([5])
    expect(second.counters.droppedForAge).toBe(4)
    // The gap takes the seven lost records with it that it told of.
    expect(second.takeLoss()).toMatchObject({
      count: 10,
      since: at(1),
      until: at(4),
      parts: { 'age coverage': 1, 'age death': 2, 'age signal': 1 },
    })
    await second.close()
  })
})

describe('what was dropped', () => {
  it('becomes one gap with its count, time and types, and is told no more when that is on the disk', async () => {
    const spool = await open()
    const sink = new SpoolSink(spool)
    for (const event of story(`${'s'.repeat(60)}${'d'.repeat(60)}`)) await sink.accept(event)
    await sink.settled()
    const dropped = sink.takeDropped()
    expect(dropped).toEqual({
      count: 20,
      since: at(1),
      until: at(20),
      reason: 'events could not be kept on disk: 20 signals dropped at the limit of the spool',
    })
    await sink.accept(gapOf(dropped?.count ?? 0))
    await sink.settled()
    expect(spool.takeLoss()).toBeUndefined()
    await spool.close()
    // Of the gap's own way in: one more signal had to go for it.
    const again = await open()
    expect(again.takeLoss()).toMatchObject({ count: 1, parts: { 'limit signal': 1 } })
    await again.close()
  })

  it('is told once, also if it is asked for while the gap is on its way to the disk', async () => {
    const spool = await open()
    await appendAll(spool, story('s'.repeat(103)))
    const gap = gapOf(spool.takeLoss()?.count ?? 0)
    const written = spool.append(JSON.stringify(gap), gap)
    expect(spool.takeLoss()).toBeUndefined()
    expect(await written).toBe(true)
    await spool.close()
    const again = await open()
    // Of the gap's own way in.
    expect(again.takeLoss()).toMatchObject({ count: 1, parts: { 'limit signal': 1 } })
    await again.close()
  })

  it('is told again if the gap did not come to the disk', async () => {
    const spool = await open()
    await appendAll(spool, story('s'.repeat(103)))
    expect(spool.takeLoss()?.count).toBe(3)
    await spool.close()
    const again = await open()
    expect(again.takeLoss()).toMatchObject({ count: 3, since: at(1), until: at(3) })
    await again.close()
  })

  it('is known after a SIGKILL between the drop and the gap', async () => {
    const program = join(import.meta.dirname, 'drop-from-spool.ts')
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', program, join(folder, 'spool')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    child.kill('SIGKILL')
    await once(child, 'close')
    const dropped = Number(String(said).split('\n')[0])
    const spool = await open()
    const loss = spool.takeLoss()
    expect(loss?.count).toBeGreaterThanOrEqual(dropped)
    expect(loss?.count).toBe(loss?.parts['limit signal'])
    const waiting = await waitingIn(spool)
    // No event is both there and lost, and none neither.
    expect((waiting[0]?.agent.seq ?? 0) - 1).toBe(loss?.count)
    expect(seqsOf(waiting)).toEqual(waiting.map((_, index) => (loss?.count ?? 0) + 1 + index))
    await spool.close()
  })

  it('is told once in a while where it goes on, and at once when there is room', async () => {
    const spool = await open()
    const sink = new SpoolSink(spool)
    await appendAll(spool, story('s'.repeat(110)))
    expect(sink.takeDropped()?.count).toBe(10)
    await sink.accept(gapOf(10))
    await appendAll(spool, story('s'.repeat(5), 200))
    expect(sink.takeDropped()).toBeUndefined()
    await spool.remove(await spool.read(50, never))
    expect(sink.takeDropped()?.count).toBe(6)
    await spool.close()
  })
})

function gapOf(lostRecords: number): Event {
  return coverageEvent({ state: 'gap', why: 'events-dropped', reason: 'full', lostRecords })
}
