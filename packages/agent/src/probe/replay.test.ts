import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { replayProbe } from './replay.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-replay-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function recordingOf(text: string): Promise<string> {
  const file = join(folder, 'records')
  await writeFile(file, text, 'latin1')
  return file
}

async function replay(file: string, speed: 'real' | 'fast' = 'fast') {
  const run = await replayProbe({ file, speed }).start()
  const lines: string[] = []
  for await (const line of run.lines()) lines.push(line)
  return { lines, end: await run.ended }
}

const beat = (seq: number, ms: number) => `heartbeat\t${seq}\t${ms}000000\treal=1\tmono=1\tboot=1\t#${seq}`

describe('a recording', () => {
  test('is passed on line by line as it is, torn lines too, and then ends as expected', async () => {
    const text = `${beat(1, 5)}\nnonsense \xff\n${beat(2, 6)}\nheartbe`
    const { lines, end } = await replay(await recordingOf(text))
    expect(lines).toEqual(text.split('\n'))
    expect(end).toEqual({ expected: true, error: null, warnings: [] })
  })

  test('of many megabytes is passed on whole', async () => {
    const text = Array.from({ length: 50_000 }, (_, i) => beat(i + 1, i)).join('\n')
    expect((await replay(await recordingOf(`${text}\n`))).lines).toHaveLength(50_000)
  })

  test('at real speed the records keep their distance in time', async () => {
    const startedMs = performance.now()
    const { lines } = await replay(await recordingOf(`${beat(1, 1_000)}\nnonsense\n${beat(2, 1_200)}\n`), 'real')
    expect(lines).toHaveLength(3)
    expect(performance.now() - startedMs).toBeGreaterThan(190)
  })

  test('can be stopped in a long pause, and before it is read', async () => {
    const file = await recordingOf(`${beat(1, 1)}\n${beat(2, 9_999_999)}\n`)
    const run = await replayProbe({ file, speed: 'real' }).start()
    const lines: string[] = []
    for await (const line of run.lines()) {
      lines.push(line)
      setTimeout(() => void run.stop(), 20)
    }
    expect(lines).toHaveLength(1)
    const unread = await replayProbe({ file, speed: 'fast' }).start()
    await unread.stop()
    expect(await unread.ended).toMatchObject({ expected: true })
  })
})

describe('what is no recording is told at once', () => {
  test.each([
    ['nothing at that path', async () => join(folder, 'nowhere'), 'recording-unreadable'],
    [
      'a folder',
      async () => await mkdir(join(folder, 'a/folder'), { recursive: true }).then(() => join(folder, 'a/folder')),
      'recording-is-folder',
    ],
    ['an empty file', async () => recordingOf(''), 'recording-empty'],
  ])('%s', async (_, make, code) => {
    const file = await make()
    await expect(replayProbe({ file, speed: 'fast' }).start()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(file),
    })
  })

  test('a file without a single record, when it has been read', async () => {
    const file = await recordingOf('root:x:0:0:root:/root:/bin/bash\n\x00\xff\n')
    const run = await replayProbe({ file, speed: 'fast' }).start()
    const lines: string[] = []
    for await (const line of run.lines()) lines.push(line)
    expect(lines).toHaveLength(2)
    expect(await run.ended).toMatchObject({ expected: false, error: { code: 'recording-empty' } })
  })
})
