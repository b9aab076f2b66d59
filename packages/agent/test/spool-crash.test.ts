import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SpoolError } from '../src/errors.ts'
import { Spool } from '../src/spool/spool.ts'
import { eventNumber } from './append-to-spool.ts'

let folder = ''
let store = ''
let said = ''
const troubles: SpoolError[] = []
/** Those that a failed test left. */
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-crash-'))
  store = join(folder, 'spool')
  said = join(folder, 'said')
  troubles.length = 0
  await writeFile(said, '')
})
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child)
  await rm(folder, { recursive: true, force: true })
})

const open = () => Spool.open({ folder: store, eventsMax: 100_000, onTrouble: (trouble) => troubles.push(trouble) })
const openings = () => readFile(join(store, 'OPENING'), 'utf8').catch(() => undefined)
const aside = async () => (await readdir(folder)).filter((name) => name.startsWith('spool.damaged-'))

/** A program that opens the spool and appends to it until it is killed. */
function appender(): ChildProcess {
  const program = join(import.meta.dirname, 'append-to-spool.ts')
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', program, store, said], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended
}

/** As many starts as that end while LevelDB opens the store: it waits for ever for what is in a pipe. */
async function endWhileOpening(starts: number): Promise<void> {
  await rm(join(store, 'CURRENT'))
  await execa('mkfifo', [join(store, 'CURRENT')])
  for (let start = 1; start <= starts; start += 1) {
    const child = appender()
    await expect.poll(openings, { timeout: 60_000 }).toBe(`${start}\n`)
    await kill(child)
  }
}

async function storeWith(events: number): Promise<void> {
  const spool = await open()
  for (let number = 1; number <= events; number += 1) await spool.append(eventNumber(number))
  await spool.close()
}

describe('a store whose opening ends the process', () => {
  it('is moved aside after three starts in a row, told, and counted; the agent goes on with an empty one', async () => {
    await storeWith(20)
    await endWhileOpening(3)
    const spool = await open()
    const [moved = ''] = await aside()
    expect(troubles).toMatchObject([
      { code: 'spool-damaged', message: expect.stringMatching(/ended the agent three times in a row; it is now /) },
    ])
    expect(troubles[0]?.message).toContain(join(folder, moved))
    expect(await readdir(join(folder, moved))).toContain('CURRENT')
    expect(await readdir(join(folder, moved))).not.toContain('OPENING')
    expect(spool.length).toBe(0)
    expect(spool.takeLoss()).toMatchObject({ count: 1, parts: { 'damaged unknown': 1 } })
    expect(await spool.append(eventNumber(21))).toBe(true)
    await spool.close()
    expect(await openings()).toBeUndefined()
    const again = await open()
    expect(again.length).toBe(1)
    await again.close()
    expect(await aside()).toHaveLength(1)
  })

  it('is told of also where the process was killed between moving it and telling', async () => {
    await storeWith(20)
    await rename(store, `${store}.damaged-20261122T194042123Z`)
    const spool = await open()
    expect(spool.takeLoss()).toMatchObject({ count: 1, parts: { 'damaged unknown': 1 } })
    await spool.append(eventNumber(21))
    await spool.close()
    const again = await open()
    expect(again.length).toBe(1)
    expect(again.takeLoss()?.count).toBe(1)
    await again.close()
  })

  it('is tried again after two, and what waits in it is published where it opens then', async () => {
    await storeWith(20)
    const current = await readFile(join(store, 'CURRENT'))
    await endWhileOpening(2)
    await rm(join(store, 'CURRENT'))
    await writeFile(join(store, 'CURRENT'), current)
    const spool = await open()
    expect(spool.length).toBe(20)
    expect(troubles).toEqual([])
    expect(await openings()).toBeUndefined()
    await spool.close()
  })

  it('stays noted where it cannot be moved yet (root is needed to try that)', async () => {
    await storeWith(20)
    await writeFile(join(store, 'OPENING'), '3\n')
    // A mount point cannot be renamed.
    await execa('mount', ['--bind', store, store])
    try {
      await expect(open()).rejects.toMatchObject({ code: 'spool-unusable', message: expect.stringContaining(store) })
      expect(await openings()).toBe('3\n')
    } finally {
      await execa('umount', ['--lazy', store])
    }
    await (await open()).close()
    expect(await aside()).toHaveLength(1)
  })
})

describe('an opening that fails', () => {
  it('is no crash: a second agent is refused as often as it tries, and nothing is moved', async () => {
    const spool = await open()
    for (let start = 1; start <= 5; start += 1) await expect(open()).rejects.toMatchObject({ code: 'spool-locked' })
    expect(await openings()).toBeUndefined()
    expect(await aside()).toEqual([])
    expect(await spool.append(eventNumber(1))).toBe(true)
    await spool.close()
  })
})

describe('a SIGKILL', () => {
  it('while the agent runs never counts, however often', async () => {
    for (let start = 1; start <= 5; start += 1) {
      const before = (await readFile(said, 'utf8')).length
      const child = appender()
      await expect.poll(async () => (await readFile(said, 'utf8')).length, { timeout: 60_000 }).toBeGreaterThan(before)
      expect(await openings()).toBeUndefined()
      await kill(child)
    }
    const kept = (await readFile(said, 'utf8')).trim().split('\n').length
    const spool = await open()
    expect(spool.length).toBeGreaterThanOrEqual(kept)
    expect(troubles).toEqual([])
    expect(await aside()).toEqual([])
    await spool.close()
  })
})
