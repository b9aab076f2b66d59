import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRecord } from '@whokilled/agent/record/parse'
import type { KernelRecord } from '@whokilled/agent/record/record'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GuestRun, runInGuest } from './lab/guest.ts'
import { bundledRecorder } from './lab/recorder.ts'

/** One guest runs guest/stap.sh: the agent's probe code under node, and what can happen to it on a host. */
let run: GuestRun

beforeAll(async () => {
  await using recorder = await bundledRecorder()
  const script = await readFile(join(import.meta.dirname, 'guest/stap.sh'), 'utf8')
  run = await runInGuest({ script, node: true, files: { '/lab/recorder': recorder.folder } })
})

afterAll(async () => {
  await run?.[Symbol.asyncDispose]()
})

test('an orderly stop right behind a burst of 15,000 signals loses nothing', async () => {
  const records = await recordsOf('burst')
  const seqs = records.map(({ seq }) => seq).sort((a, b) => a - b)
  expect(seqs.length).toBeGreaterThan(15_000)
  expect(seqs.findIndex((seq, at) => seq !== at + 1)).toBe(-1)
  expect(records.at(-1)).toMatchObject({ type: 'stop', lost: 0, skipped: 0 })
  expect(await endOf('burst')).toEqual({ expected: true, error: null, warnings: [] })
})

test('a second agent on the host is refused, and the first one runs on', async () => {
  expect(await endOf('second')).toMatchObject({ code: 'module-loaded' })
  expect((await recordsOf('first')).at(-1)).toMatchObject({ type: 'stop' })
})

test('an end that nobody here asked for is an error with its reason', async () => {
  expect(await endOf('first')).toMatchObject({ expected: false, error: { code: 'probe-ended' } })
  const { error } = (await endOf('crashed')) as { error: { code: string; message: string } }
  expect(error).toEqual({
    code: 'probe-ended',
    message: 'Expected the probe to run on, somebody else ended it with SIGKILL.',
  })
})

test('a module that was left behind is removed, and the probe starts again', async () => {
  expect(String(await run.read('left-by-reader'))).toBe('1\n')
  expect((await recordsOf('after-reader'))[0]).toMatchObject({ type: 'start', seq: 1 })
  expect((await recordsOf('after-agent'))[0]).toMatchObject({ type: 'start', seq: 1 })
})

test("a module's file may have any name, and no module stays after the end", async () => {
  expect(await endOf('after-agent')).toEqual({ expected: true, error: null, warnings: [] })
  expect(String(await run.read('left-at-the-end'))).toBe('0\n')
})

test('modules that cannot be loaded are answered with the remedy', async () => {
  expect(await endOf('cut')).toMatchObject({ code: 'module-other-kernel' })
  expect(await endOf('missing')).toMatchObject({ code: 'module-not-found' })
})

test('a user who may not load modules is told so', async () => {
  expect(await endOf('deploy')).toMatchObject({ code: 'not-permitted' })
})

async function recordsOf(name: string): Promise<KernelRecord[]> {
  const lines = (await run.read(`${name}.wkr`)).toString('latin1').split('\n').slice(0, -1)
  return lines.map((line) => {
    const parsed = parseRecord(line)
    if ('rejected' in parsed) throw new Error(`Expected records alone, found one ${parsed.rejected}: ${line}`)
    return parsed.record
  })
}

/** The last words of the recorder: how its probe ended, or why it did not start. */
async function endOf(name: string): Promise<unknown> {
  return JSON.parse((await run.read(`${name}.log`)).toString().trim().split('\n').at(-1) ?? '')
}
