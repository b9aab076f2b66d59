import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ProbeEnd, ProbeRun } from './probe.ts'
import { withWatchdog } from './watchdog.ts'

const limitMs = 100

/** Prints lines with this much time between them, then nothing until it is stopped. */
function runOf(lines: readonly string[], everyMs: number): ProbeRun & { stops: number } {
  let finish: (end: ProbeEnd) => void = () => {}
  const ended = new Promise<ProbeEnd>((resolve) => {
    finish = resolve
  })
  return {
    stops: 0,
    ended,
    async *lines() {
      for (const line of lines) {
        await pause(everyMs)
        yield line
      }
      await ended
    },
    async stop() {
      this.stops += 1
      finish({ expected: true, error: null, warnings: [] })
    },
  }
}

test('a tracer that says nothing any more is ended, and its end is an error', async () => {
  const run = runOf(['one', 'two'], 1)
  const watched = withWatchdog(run, limitMs)
  const lines: string[] = []
  for await (const line of watched.lines()) lines.push(line)
  expect(lines).toEqual(['one', 'two'])
  expect(run.stops).toBe(1)
  expect(await watched.ended).toMatchObject({ expected: false, error: { code: 'probe-silent' } })
})

test('a tracer that speaks often enough is left alone, and ends as it says itself', async () => {
  const run = runOf(Array.from({ length: 12 }, String), limitMs / 5)
  const watched = withWatchdog(run, limitMs)
  let count = 0
  for await (const _ of watched.lines()) if (++count === 12) await watched.stop()
  expect(run.stops).toBe(1)
  expect(await watched.ended).toEqual({ expected: true, error: null, warnings: [] })
})

test('a tracer is not blamed for the time its lines take to be worked on', async () => {
  const run = runOf(['one', 'two'], 1)
  const watched = withWatchdog(run, limitMs)
  for await (const line of watched.lines()) {
    await pause(limitMs * 3)
    if (line === 'two') await watched.stop()
  }
  expect(await watched.ended).toMatchObject({ expected: true, error: null })
})

test('a tracer is not blamed for the time that this program itself did not run, as on a suspended host', async () => {
  const run = runOf(Array.from({ length: 8 }, String), limitMs / 4)
  const watched = withWatchdog(run, limitMs)
  let count = 0
  for await (const _ of watched.lines()) {
    count += 1
    // While it waits for the next line: nothing of this program runs, its timers included.
    if (count === 3) setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limitMs * 3), 5)
    if (count === 8) await watched.stop()
  }
  expect(count).toBe(8)
  expect(await watched.ended).toMatchObject({ expected: true, error: null })
})

test('a tracer that never says anything is ended', async () => {
  const watched = withWatchdog(runOf([], 0), limitMs)
  for await (const _ of watched.lines());
  expect((await watched.ended).error?.message).toContain('0.1 s')
})
