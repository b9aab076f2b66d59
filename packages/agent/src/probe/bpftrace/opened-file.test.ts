import { execFileSync } from 'node:child_process'
import { statfsSync, statSync } from 'node:fs'
import { chmod, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenedFile, OpenedFiles } from './opened-file.ts'

let folder: string
let path: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-opened-'))
  path = join(folder, 'app.pid')
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}

/** What the probe tells of a file that is opened now. */
function opened(at = path): OpenedFile {
  const { ino, size } = statSync(at, { bigint: true })
  return {
    ...{ path: Buffer.from(at).toString('latin1'), pid: process.pid, start: 0n, hasOwnRoot: true },
    ...{ inode: ino, size, fileSystem: statfsSync(at).type, openedAt: now() },
  }
}

async function written(text: string): Promise<OpenedFile> {
  await rm(path, { force: true })
  await writeFile(path, text)
  await delay(30)
  return opened()
}

describe('a file that was opened', () => {
  test('is told with its first 32 bytes and the time of its last change', async () => {
    const file = await written(`4242\n${'x'.repeat(100)}`)
    const { mtimeNs } = statSync(path, { bigint: true })
    expect(new OpenedFiles().contentOf(file)).toEqual({ mtime: mtimeNs, text: `4242\n${'x'.repeat(27)}` })
  })

  test('may hold any bytes, and nothing', async () => {
    await rm(path, { force: true })
    await writeFile(path, Buffer.from([0, 255, 10]))
    await delay(30)
    expect(new OpenedFiles().contentOf(opened())).toMatchObject({ text: '\0\xff\n' })
    expect(new OpenedFiles().contentOf(await written(''))).toMatchObject({ text: '', mtime: expect.any(BigInt) })
  })

  test('that was emptied when it was opened is told as empty, whatever is in it by now', async () => {
    const file = { ...(await written('')), openedAt: now() }
    await writeFile(path, '77')
    expect(new OpenedFiles().contentOf(file)).toEqual({ text: '' })
  })
})

describe('nothing is told of a file', () => {
  test.each<[string, () => Promise<void>]>([
    ['written since', () => writeFile(path, '4343')],
    [
      'written since and set back',
      async () => {
        const { atime, mtime } = statSync(path)
        await writeFile(path, '4343')
        await utimes(path, atime, mtime)
      },
    ],
    ['cut short since', () => truncate(path, 1)],
    ['deleted since', () => rm(path)],
    [
      'replaced since',
      async () => {
        await writeFile(`${path}.new`, '4343')
        await rename(`${path}.new`, path)
      },
    ],
    [
      'replaced by a link since',
      async () => {
        await rename(path, `${path}.old`)
        await symlink(`${path}.old`, path)
      },
    ],
    [
      'replaced by a FIFO since',
      async () => {
        await rm(path)
        execFileSync('mkfifo', [path])
      },
    ],
    ['touched since', () => chmod(path, 0o600)],
  ])('%s', async (_, change) => {
    const file = await written('4242')
    await change()
    expect(new OpenedFiles().contentOf(file)).toEqual({})
  })

  test('that was written a moment before it was opened: the clock of files is coarse', async () => {
    await rm(path, { force: true })
    await writeFile(path, '4242')
    const openedAt = statSync(path, { bigint: true }).ctimeNs + 9_000_000n
    expect(new OpenedFiles().contentOf({ ...opened(), openedAt })).toEqual({})
  })

  test('of a file system that may keep its reader waiting', async () => {
    const nfs = 0x6969
    expect(new OpenedFiles().contentOf({ ...(await written('4242')), fileSystem: nfs })).toEqual({})
  })

  test('of another root, where it cannot be looked into', async () => {
    const file = { ...(await written('4242')), hasOwnRoot: false }
    expect(new OpenedFiles(false).contentOf(file)).toEqual({})
    expect(new OpenedFiles(true).contentOf({ ...file, pid: 4_194_304 })).toEqual({})
    // The same number, but another process: this one did not start at 0.
    expect(new OpenedFiles(true).contentOf(file)).toEqual({})
  })
})

test('a file that is opened again and again is read once, and not looked at more than 1,000 times a second', async () => {
  const file = await written('4242')
  const files = new OpenedFiles()
  expect(files.contentOf(file)).toMatchObject({ text: '4242' })
  for (let i = 1; i < 1_000; i += 1) expect(files.contentOf(file)).toMatchObject({ text: '4242' })
  expect(files.contentOf(file)).toEqual({})
  expect(files.skipped).toBe(1)
  expect(files.contentOf({ ...file, openedAt: file.openedAt + 1_000_000_000n })).toMatchObject({ text: '4242' })
})
