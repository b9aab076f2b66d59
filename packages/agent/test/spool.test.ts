import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CoverageEvent, Event } from '@whokilled/shared/event'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Spool } from '../src/spool/spool.ts'
import { SpoolSink } from '../src/spool/spool-sink.ts'
import { eventNumber } from './append-to-spool.ts'
import { eventsOfLines, linesOf, type Told } from './recorded-host.ts'
import { type SmallDisk, smallDisk } from './small-disk.ts'

const never = new AbortController().signal
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-spool-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (at = folder, eventsMax = 10_000) => Spool.open({ folder: at, eventsMax })

/** The numbers of all events that wait, in the order in which they are read. */
async function numbersIn(spool: Spool): Promise<number[]> {
  if (spool.length === 0) return []
  const found = await spool.read(10_000, never)
  return found.map(({ json }) => (JSON.parse(json) as { number: number }).number)
}

/** The same of more than is read at once; nothing waits afterwards. */
async function allNumbersIn(spool: Spool): Promise<number[]> {
  const numbers: number[] = []
  while (spool.length > 0) {
    const found = await spool.read(10_000, never)
    numbers.push(...found.map(({ json }) => (JSON.parse(json) as { number: number }).number))
    await spool.remove(found)
  }
  return numbers
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

async function appendAll(spool: Spool, last: number): Promise<boolean[]> {
  return Promise.all(upTo(last).map((number) => spool.append(eventNumber(number))))
}

describe('the spool', () => {
  it('gives events back in their order, also after it was closed and opened again', async () => {
    const spool = await open()
    expect(await appendAll(spool, 1_000)).not.toContain(false)
    expect(await numbersIn(spool)).toEqual(upTo(1_000))
    await spool.close()
    const again = await open()
    expect(again.length).toBe(1_000)
    await again.append(eventNumber(1_001))
    expect(await numbersIn(again)).toEqual(upTo(1_001))
    await again.close()
  })

  it('writes what was appended before it is closed', async () => {
    const spool = await open()
    const appended = appendAll(spool, 500)
    await spool.close()
    expect(await appended).not.toContain(false)
    const again = await open()
    expect(await numbersIn(again)).toEqual(upTo(500))
    await again.close()
  })

  it('forgets what was removed, and goes on counting when it is empty', async () => {
    const spool = await open()
    await appendAll(spool, 10)
    const events = await spool.read(4, never)
    await spool.remove(events)
    expect(spool.length).toBe(6)
    expect(await numbersIn(spool)).toEqual([5, 6, 7, 8, 9, 10])
    await spool.remove(await spool.read(100, never))
    expect(spool.length).toBe(0)
    await spool.close()
    const again = await open()
    expect(again.length).toBe(0)
    await again.append(eventNumber(11))
    expect(await numbersIn(again)).toEqual([11])
    await again.close()
  })

  it('lets a reader wait for the next event, or until it is told to stop', async () => {
    const spool = await open()
    const waiting = spool.read(10, never)
    await spool.append(eventNumber(1))
    expect(await waiting).toHaveLength(1)
    await spool.remove(await waiting)
    for (const delayMs of [undefined, 0, 5]) {
      const stopping = new AbortController()
      const stopped = spool.read(10, stopping.signal)
      if (delayMs === undefined) stopping.abort()
      else setTimeout(() => stopping.abort(), delayMs)
      expect(await stopped).toEqual([])
    }
    expect(await spool.read(10, AbortSignal.abort())).toEqual([])
    await spool.close()
  })

  it('has every event whose append had resolved when the program was killed', async () => {
    for (const count of [1, 3_000]) {
      const store = join(folder, `killed-after-${count}`)
      const said = await killedAppender(store, count)
      const spool = await open(store, 1_000_000)
      const numbers = await allNumbersIn(spool)
      expect(said.length).toBeGreaterThanOrEqual(count)
      expect(numbers.slice(0, said.length)).toEqual(said)
      expect(numbers).toEqual(upTo(numbers.length))
      await spool.close()
    }
  })

  it('opens after a torn write, without the torn event alone', async () => {
    for (const tornBytes of [1, 7, 40]) {
      const store = join(folder, `torn-${tornBytes}`)
      const spool = await open(store)
      for (const number of upTo(50)) await spool.append(eventNumber(number + 100))
      await spool.close()
      const log = await newestLog(store)
      await truncate(log, (await stat(log)).size - tornBytes)
      const again = await open(store)
      expect(await numbersIn(again)).toEqual(upTo(49).map((number) => number + 100))
      expect(await again.append(eventNumber(1))).toBe(true)
      await again.close()
    }
  })

  it('belongs to one program: a second is told so', async () => {
    const spool = await open()
    await expect(open()).rejects.toMatchObject({
      name: 'SpoolError',
      code: 'spool-locked',
      message: expect.stringContaining(folder),
      hint: expect.stringContaining('"stateFolder"'),
    })
    await spool.append(eventNumber(1))
    await spool.close()
  })

  it('says what is wrong with a folder that it cannot use', async () => {
    const file = join(folder, 'file')
    await writeFile(file, 'no folder')
    for (const path of [file, join(file, 'below')]) {
      await expect(open(path)).rejects.toMatchObject({
        code: 'spool-unusable',
        message: expect.stringContaining(path),
        hint: expect.stringContaining('room'),
      })
    }
  })
})

describe('a spool on a disk that is full (root is needed to mount one)', () => {
  it('refuses events and counts them, gives out what it has, and takes events again when there is room', async () => {
    await using disk = await smallDisk(400_000)
    const spool = await open(disk.folder, 1_000)
    const kept: number[] = []
    let number = 0
    const append = async () => {
      number += 1
      const isKept = await spool.append(eventNumber(number * 700 + 699))
      if (isKept) kept.push(number * 700 + 699)
      return isKept
    }
    while (await append());
    for (let more = 0; more < 2_000; more += 1) await append()
    expect(spool.counters).toMatchObject({ appended: kept.length, refusedByDisk: number - kept.length })
    expect(spool.length).toBe(kept.length)
    expect(await numbersIn(spool)).toEqual(kept)

    const half = kept.splice(0, Math.floor(kept.length / 2)).length
    await spool.remove(await spool.read(half, never))
    expect(await numbersIn(spool)).toEqual(kept)

    await disk.makeRoom()
    expect(await append()).toBe(true)
    expect(await append()).toBe(true)
    expect(spool.counters.reopened).toBe(1)
    expect(await numbersIn(spool)).toEqual(kept)
    await spool.close()
    const again = await open(disk.folder)
    expect(await numbersIn(again)).toEqual(kept)
    await again.close()
  })

  it('opens all the same, empty or not, refuses what comes, and works when there is room', async () => {
    await using disk = await smallDisk(1_000_000)
    const before = await open(disk.folder)
    await appendAll(before, 50)
    await before.close()
    await disk.fill(0)
    const troubles: string[] = []
    const spool = await Spool.open({
      folder: disk.folder,
      eventsMax: 1_000,
      onTrouble: ({ code }) => troubles.push(code),
    })
    expect(troubles).toEqual(['spool-unusable'])
    expect(await spool.append(eventNumber(51))).toBe(false)
    expect(spool.takeLoss()).toBeUndefined()
    await disk.makeRoom()
    await expect.poll(() => spool.append(eventNumber(52)), { timeout: 10_000 }).toBe(true)
    expect((await numbersIn(spool)).slice(0, 51)).toEqual([...upTo(50), 52])
    expect(spool.takeLoss()?.parts['disk signal']).toBe(spool.counters.refusedByDisk)
    await spool.close()
  })

  it('loses nothing that it took, though the program is killed afterwards', async () => {
    await using disk = await smallDisk(400_000)
    const said = await killedAppender(disk.folder, 500, disk)
    expect(said.at(-1)).toBeGreaterThan(said.length)
    const spool = await open(disk.folder, 1_000_000)
    const numbers = new Set(await allNumbersIn(spool))
    expect(said.filter((number) => !numbers.has(number))).toEqual([])
    await spool.close()
  })

  it('tells a loss once, though the store is opened anew while the gap that tells of it is on its way', async () => {
    await using disk = await smallDisk(1_000_000)
    const spool = await open(disk.folder)
    await spool.append(eventNumber(1))
    spool.lose({ cause: 'too-large', type: 'death', events: 5, since: '2026-11-22T00:00:00.000Z' })
    expect(spool.takeLoss()?.count).toBe(5)
    await disk.fill(0)
    let refused = 0
    for (let number = 2; refused === 0 && number < 1_000; number += 1) {
      if (!(await spool.append(eventNumber(number * 700 + 699)))) refused += 1
    }
    expect(refused).toBe(1)
    await disk.makeRoom()
    const gap = { ...JSON.parse(eventNumber(1_000, 'coverage')), state: 'gap', why: 'events-dropped', lostRecords: 5 }
    expect(await spool.append(JSON.stringify(gap))).toBe(true)
    expect(spool.counters.reopened).toBe(1)
    expect(spool.takeLoss()).toMatchObject({ count: 1, parts: { 'disk signal': 1 } })
    await spool.close()
    const again = await open(disk.folder)
    expect(again.takeLoss()?.count).toBe(1)
    await again.close()
  })

  it('becomes a gap that counts every event that was lost, told when events are kept again', async () => {
    await using disk = await smallDisk(400_000)
    const spool = await open(disk.folder)
    const deaths = 600
    const told = Array.from({ length: deaths }, (_, index) => death(index)).flat()
    const after: Told[] = Array.from({ length: 34 }, () => heartbeat(1_000))
    const lines = linesOf([...told, ...after, { ...heartbeat(1), type: 'stop' }])
    async function* tellSlowly() {
      for (const [index, line] of lines.entries()) {
        if (index === told.length + 1) await disk.makeRoom()
        if (index % 20 === 0 || index > told.length) await new Promise((resolve) => setTimeout(resolve, 5))
        yield line
      }
    }
    await eventsOfLines(tellSlowly(), { sink: new SpoolSink(spool) })
    const kept = (await spool.read(10_000, never)).map(({ json }) => JSON.parse(json) as Event)
    const gaps = kept.filter((event): event is CoverageEvent => event.type === 'coverage' && event.state === 'gap')
    const lost = gaps.reduce((sum, gap) => sum + gap.lostRecords, 0)
    const keptDeaths = kept.filter(({ type }) => type === 'death').length
    expect(spool.counters.refusedByDisk).toBeGreaterThan(100)
    expect(keptDeaths).toBeLessThan(deaths)
    expect(gaps).toHaveLength(1)
    expect(lost).toBe(spool.counters.refusedByDisk)
    expect(gaps[0]?.reason).toContain('could not be kept on disk')
    expect(Date.parse(gaps[0]?.to ?? '') - Date.parse(gaps[0]?.from ?? '')).toBeGreaterThan(1_000)
    await spool.close()
  })
})

/**
 * The numbers that a program said were on disk until it had said `count` of them and was killed. On a small disk it
 * fills the disk first; then there is room.
 */
async function killedAppender(store: string, count: number, disk?: SmallDisk): Promise<number[]> {
  const program = join(import.meta.dirname, 'append-to-spool.ts')
  const said = join(folder, 'said')
  await writeFile(said, '')
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', program, store, said], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'close')
  const lines = async () => (await readFile(said, 'utf8')).split('\n').slice(0, -1)
  if (disk !== undefined) {
    await expect.poll(lines, { timeout: 20_000 }).toContain('refused')
    await disk.makeRoom()
  }
  const numbers = async () => (await lines()).filter((line) => line !== 'refused').map(Number)
  const before = (await numbers()).length
  await expect.poll(async () => (await numbers()).length - before, { timeout: 20_000 }).toBeGreaterThanOrEqual(count)
  child.kill('SIGKILL')
  await ended
  return await numbers()
}

/** A program with long arguments, killed two seconds after it began. */
function death(index: number): Told[] {
  const pid = 10_000 + index
  const start = BigInt(index)
  return [
    { type: 'fork', pid, start, ppid: 1, pstart: 10_000_000n, ptid: 1 },
    { type: 'exec', pid, start, comm: 'job', argv: `job\0${'x'.repeat(2_000)}\0`, argn: 2_005, exe: '/bin/job' },
    { type: 'exit', pid, start, code: 9, comm: 'job', afterMs: 2_000 },
    heartbeat(500),
  ]
}

/** Its clocks are filled in. */
function heartbeat(afterMs: number): Told & { type: 'heartbeat' } {
  return { type: 'heartbeat', real: 0n, mono: 0n, boot: 0n, afterMs }
}

async function newestLog(store: string): Promise<string> {
  const logs = (await readdir(store)).filter((name) => name.endsWith('.log')).sort()
  return join(store, logs.at(-1) ?? '')
}
