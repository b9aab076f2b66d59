import { expect, test } from 'vitest'
import { backoffDelayMs, retry } from './backoff.ts'

const limits = { firstMs: 100, longestMs: 1_000 }

test('delays double up to the longest, and chance takes up to half away', () => {
  expect([1, 2, 3, 4, 5, 99].map((attempt) => backoffDelayMs(attempt, limits, 0))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ])
  expect(backoffDelayMs(2, limits, 0.5)).toBe(150)
})

test('what fails is tried again until it succeeds, and each failure is told', async () => {
  const told: unknown[] = []
  let attempts = 0
  const attempt = async () => {
    if (++attempts < 3) throw new Error(`attempt ${attempts}`)
    return 'done'
  }
  const result = await retry(attempt, {
    signal: new AbortController().signal,
    limits: { firstMs: 1, longestMs: 1 },
    failed: (error) => told.push((error as Error).message),
  })
  expect(result).toBe('done')
  expect(told).toEqual(['attempt 1', 'attempt 2'])
})

test('what cannot get better is thrown at once', async () => {
  const failing = retry(() => Promise.reject(new Error('final')), {
    signal: new AbortController().signal,
    retryable: () => false,
    failed: () => expect.unreachable(),
  })
  await expect(failing).rejects.toThrow('final')
})

test('an aborted wait ends, and a first attempt is made even then', async () => {
  const controller = new AbortController()
  const waiting = retry(() => Promise.reject(new Error('again')), {
    signal: controller.signal,
    limits: { firstMs: 60_000, longestMs: 60_000 },
    failed: () => controller.abort(),
  })
  await expect(waiting).rejects.toThrow()
  expect(await retry(async () => 1, { signal: controller.signal, failed: () => {} })).toBe(1)
})
