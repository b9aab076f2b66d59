import {
  cp,
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SpoolError } from '../src/errors.ts'
import { headKey, writeHead } from '../src/spool/head.ts'
import { checksumOf, eventChecksum, keyOf } from '../src/spool/key.ts'
import { Spool } from '../src/spool/spool.ts'
import { nothing } from '../src/spool/tally.ts'
import { eventNumber } from './append-to-spool.ts'

const eventCount = 240
const numbers = Array.from({ length: eventCount }, (_, index) => index + 1)
/** A spool with tables and a log, from which all that is damaged is copied. */
let whole = ''
beforeAll(async () => {
  whole = await mkdtemp(join(tmpdir(), 'whokilled-whole-'))
  for (let from = 0; from < eventCount; from += 80) {
    const spool = await Spool.open({ folder: whole, eventsMax: 10_000 })
    for (const number of numbers.slice(from, from + 80)) await spool.append(eventOf(number))
    await spool.close()
  }
})
afterAll(() => rm(whole, { recursive: true, force: true }))

let folder = ''
let store = ''
const troubles: SpoolError[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-damage-'))
  store = join(folder, 'spool')
  troubles.length = 0
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (eventsMax = 10_000) =>
  Spool.open({ folder: store, eventsMax, onTrouble: (trouble) => troubles.push(trouble) })
const eventOf = (number: number) => eventNumber(number, number % 3 === 0 ? 'death' : 'signal')

/** Reads and removes all that can be read. */
async function drain(spool: Spool): Promise<string[]> {
  const found: string[] = []
  const stopping = new AbortController()
  for (let tries = 0; spool.length > 0 && tries < 100; tries += 1) {
    // What cannot be read makes a spool that seemed to hold something empty: then nothing comes.
    const timer = setTimeout(() => stopping.abort(), 2_000)
    const events = await spool.read(10_000, stopping.signal).catch(() => [])
    clearTimeout(timer)
    if (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 200))
    found.push(...events.map(({ json }) => json))
    await spool.remove(events)
    if (stopping.signal.aborted) break
  }
  expect(spool.length).toBe(0)
  return found
}

const numberOf = (json: string) => (JSON.parse(json) as { number: number }).number

/** Whatever happened to the files: nothing is made up, what is missing is told, and new events are kept. */
async function expectToGoOn(): Promise<{ found: number[]; lost: number }> {
  const spool = await open()
  const read = await drain(spool)
  const found = read.map(numberOf)
  for (const json of read) expect(json).toBe(eventOf(numberOf(json)))
  const loss = spool.takeLoss()
  const missing = numbers.filter((number) => !found.includes(number))
  // What was torn off the end nobody knows of but the collector, which finds the hole.
  const isTail = missing.every((number) => found.every((other) => other < number))
  if (!isTail) expect(loss?.count ?? 0).toBeGreaterThan(0)
  const more = Array.from({ length: 20 }, (_, index) => eventOf(1_000 + index))
  await expect.poll(async () => await spool.append(more[0] as string), { timeout: 10_000 }).toBe(true)
  expect(await Promise.all(more.slice(1).map((json) => spool.append(json)))).not.toContain(false)
  await spool.close()
  const again = await open()
  const later = (await drain(again)).map(numberOf)
  for (const number of more.map(numberOf)) expect(later).toContain(number)
  await again.close()
  return { found, lost: loss?.count ?? 0 }
}

type Damage =
  | { readonly kind: 'truncate'; readonly share: number }
  | { readonly kind: 'flip'; readonly shares: readonly number[]; readonly bit: number }
  | { readonly kind: 'garbage'; readonly bytes: Uint8Array }
  | { readonly kind: 'overwrite'; readonly share: number; readonly bytes: Uint8Array }
  | { readonly kind: 'delete' }

const share = fc.double({ min: 0, max: 1, noNaN: true })
const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('truncate' as const), share }),
  fc.record({
    kind: fc.constant('flip' as const),
    shares: fc.array(share, { minLength: 1, maxLength: 20 }),
    bit: fc.nat(7),
  }),
  fc.record({ kind: fc.constant('garbage' as const), bytes: fc.uint8Array({ maxLength: 5_000 }) }),
  fc.record({ kind: fc.constant('overwrite' as const), share, bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
  fc.record({ kind: fc.constant('delete' as const) }),
)

async function damage(file: string, what: Damage): Promise<void> {
  const { size } = await stat(file)
  if (what.kind === 'truncate') return await truncate(file, Math.floor(size * what.share))
  if (what.kind === 'garbage') return await writeFile(file, what.bytes)
  if (what.kind === 'delete') return await rm(file)
  const bytes = await readFile(file)
  if (what.kind === 'flip') {
    for (const place of what.shares) {
      const at = Math.min(size - 1, Math.floor(size * place))
      if (size > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << what.bit)
    }
  } else bytes.set(what.bytes.subarray(0, size), Math.max(0, Math.floor((size - what.bytes.length) * what.share)))
  await writeFile(file, bytes)
}

describe('a spool whose files were damaged', () => {
  it('goes on, makes nothing up, and tells of what it lost', async () => {
    const files = (await readdir(whole)).filter((name) => !name.startsWith('LOG') && name !== 'LOCK').sort()
    expect(files.filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(0)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(files.length - 1), damages), { minLength: 1, maxLength: 3 }),
        async (plan) => {
          await rm(store, { recursive: true, force: true })
          await cp(whole, store, { recursive: true })
          for (const [at, what] of plan) await damage(join(store, files[at] ?? ''), what).catch(() => undefined)
          await expectToGoOn()
        },
      ),
      { numRuns: 40 },
    )
  }, 300_000)

  it('is repaired where its list of files is gone, and says where the rest is', async () => {
    await cp(whole, store, { recursive: true })
    await writeFile(join(store, 'CURRENT'), 'MANIFEST-999999\n')
    const { found, lost } = await expectToGoOn()
    expect(found).toEqual(numbers)
    expect(lost).toBe(0)
    expect(troubles[0]).toMatchObject({ code: 'spool-damaged', message: expect.stringContaining('was repaired') })
    const beside = (await readdir(folder)).filter((name) => name.startsWith('spool.damaged-'))
    expect(beside).toHaveLength(1)
    expect(troubles[0]?.message).toContain(join(folder, beside[0] ?? ''))
  })

  it('counts what was lost in the middle of a log, by type', async () => {
    const spool = await open()
    // Records over several blocks of 32 KiB, of which LevelDB leaves out the damaged one.
    for (const number of numbers) await spool.append(eventOf(number * 700 + 699))
    await spool.close()
    const [log = ''] = (await readdir(store)).filter((name) => name.endsWith('.log'))
    const file = await openFile(join(store, log), 'r+')
    await file.write(Buffer.alloc(5_000, 0x55), 0, 5_000, 70_000)
    await file.close()
    const again = await open()
    const found = (await drain(again)).map(numberOf)
    const loss = again.takeLoss()
    expect(found.length).toBeLessThan(eventCount)
    expect(found.at(-1)).toBe(eventCount * 700 + 699)
    expect(loss?.count).toBe(eventCount - found.length)
    const isLost = numbers.map((number) => number * 700 + 699).filter((number) => !found.includes(number))
    expect(loss?.parts['damaged death'] ?? 0).toBe(isLost.filter((number) => number % 3 === 0).length)
    await again.close()
  })

  it('keeps three damaged ones beside it at most', async () => {
    for (let round = 0; round < 5; round += 1) {
      await rm(store, { recursive: true, force: true })
      await cp(whole, store, { recursive: true })
      await writeFile(join(store, 'CURRENT'), 'nothing')
      await (await open()).close()
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('spool.damaged-'))).toHaveLength(3)
  })

  it('is noticed while it is open: what can be read is given out, the rest is told', async () => {
    await cp(whole, store, { recursive: true })
    const spool = await open()
    for (const name of (await readdir(store)).filter((file) => file.endsWith('.ldb'))) {
      const file = await openFile(join(store, name), 'r+')
      const { size } = await file.stat()
      await file.write(Buffer.alloc(Math.floor(size / 4), 0xff), 0, Math.floor(size / 4), Math.floor(size / 4))
      await file.close()
    }
    const found = (await drain(spool)).map(numberOf)
    const loss = spool.takeLoss()
    expect(found.length).toBeGreaterThan(0)
    expect(found.length).toBeLessThan(eventCount)
    expect(loss?.count).toBe(eventCount - found.length)
    await spool.close()
  })
})

describe('values that are no events', () => {
  it('are counted with their reason, and lost with the next gap', async () => {
    const values = [
      ['{"v":1,"id":"a","type":"signal"', 'not-json'],
      ['[]', 'not-an-event'],
      ['null', 'not-an-event'],
      ['{"v":1,"id":"a b","type":"death","at":"2026-11-22T00:00:00.000Z"}', 'not-an-event'],
      ['{"v":1,\n"id":"a","type":"death","at":"2026-11-22T00:00:00.000Z"}', 'not-an-event'],
      [`"${'x'.repeat(1_000_000)}"`, 'not-an-event'],
    ] as const
    await writeLevel((level) => {
      for (const [index, [value]] of values.entries()) level.push([keyFor(index + 1, value), value])
      level.push([keyFor(7, eventOf(7)), eventOf(8)])
      level.push([keyFor(8, eventOf(8)), eventOf(8)])
      level.push(['e-is-no-key', 'x'])
    })
    const spool = await open()
    expect((await drain(spool)).map(numberOf)).toEqual([8])
    expect(spool.counters.unreadable).toEqual({ checksum: 1, 'not-json': 1, 'not-an-event': 5 })
    expect(spool.length).toBe(0)
    await spool.close()
  })

  it('are told apart by fuzz: whatever the keys and values are, it opens, gives out events alone, and goes on', async () => {
    const texts = fc.oneof(fc.string(), fc.json(), fc.constant(eventOf(3)), fc.string({ unit: 'binary' }))
    const keys = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.nat(1_000).map((number) => number.toString().padStart(16, '0')),
      fc.nat(1_000).map((number) => keyFor(number, eventOf(3))),
      fc.constantFrom(headKey, 'ran0000000000000001', 'e', 'e0'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(keys, texts), { maxLength: 30 }), async (entries) => {
        await rm(store, { recursive: true, force: true })
        const level = new ClassicLevel<string, string>(store)
        for (const [key, value] of entries) await level.put(key, value)
        await level.close()
        await expectNewEventsKept()
      }),
      { numRuns: 40 },
    )
  }, 300_000)
})

describe('a spool of another version', () => {
  it('of format 1 is taken over in its order, and what is no event in it is told as lost', async () => {
    const level = new ClassicLevel<string, string>(store)
    for (const number of numbers) await level.put(number.toString().padStart(16, '0'), eventOf(number))
    await level.put('0000000000000241', '{"torn')
    await level.close()
    const spool = await open()
    expect(spool.length).toBe(eventCount)
    await spool.append(eventOf(1_000))
    expect((await drain(spool)).map(numberOf)).toEqual([...numbers, 1_000])
    expect(spool.takeLoss()).toMatchObject({ count: 1, parts: { 'damaged unknown': 1 } })
    expect(troubles).toEqual([])
    await spool.close()
  })

  it('of format 1, as an agent left it, is in the corpus', async () => {
    await cp(join(import.meta.dirname, 'spools/format-1'), store, { recursive: true })
    const spool = await open()
    const events = (await drain(spool)).map((json) => JSON.parse(json) as { type: string; agent: { seq: number } })
    expect(events.map(({ type }) => type)).toEqual(['coverage', 'signal', 'death'])
    expect(spool.takeLoss()).toBeUndefined()
    await spool.close()
  })

  it('that is newer is left as it is, and said so', async () => {
    await writeLevel((entries) => {
      const head = writeHead({ next: 1, ranMs: 0, tally: nothing, loss: undefined })
        .slice(9)
        .replace('"format":2', '"format":3')
      entries.push([headKey, `${checksumOf(head)} ${head}`])
      entries.push(['f-something-new', 'x'])
    })
    await expect(open()).rejects.toMatchObject({ code: 'spool-newer', hint: expect.stringContaining('newer version') })
    const level = new ClassicLevel<string, string>(store)
    expect(await level.get('f-something-new')).toBe('x')
    await level.close()
  })
})

async function expectNewEventsKept(): Promise<void> {
  const spool = await open()
  for (const json of await drain(spool)) expect(json.includes('\n')).toBe(false)
  expect(await spool.append(eventOf(2_000))).toBe(true)
  expect((await drain(spool)).map(numberOf)).toContain(2_000)
  await spool.close()
}

async function writeLevel(fill: (entries: [string, string][]) => void): Promise<void> {
  await mkdir(store, { recursive: true })
  const level = new ClassicLevel<string, string>(store)
  const entries: [string, string][] = []
  fill(entries)
  for (const [key, value] of entries) await level.put(key, value)
  await level.close()
}

function keyFor(seq: number, value: string): string {
  return keyOf({ seq, worth: 's', bytes: Buffer.byteLength(value), checksum: eventChecksum(seq, 's', value) })
}
