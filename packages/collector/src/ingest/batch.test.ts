import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { batches } from './batch.ts'

const limits = { messagesMax: 3, bytesMax: 100, delayMs: 40 }

test('a batch is closed when it holds enough messages', async () => {
  expect(await sizes(messages(1, 1, 1, 1, 1, 1, 1))).toEqual([[1, 1, 1], [1, 1, 1], [1]])
})

test('a batch is closed when it holds enough bytes; a message larger than that is a batch of its own', async () => {
  expect(await sizes(messages(60, 60, 500, 1))).toEqual([[60, 60], [500], [1]])
})

test('a batch is closed when it is old enough, and the message that comes later is not lost', async () => {
  const source = async function* () {
    yield message(1)
    await sleep(150)
    yield message(2)
  }
  expect(await sizes(source())).toEqual([[1], [2]])
})

test('a batch is closed when it is old enough though the clock was set back meanwhile', async () => {
  const now = vi.spyOn(Date, 'now')
  const source = async function* () {
    yield message(1)
    now.mockReturnValue(Date.now() - 3_600_000)
    yield message(2)
    await sleep(500)
    yield message(3)
  }
  expect(await sizes(source())).toEqual([[1, 2], [3]])
  now.mockRestore()
})

test('what was gathered when the source ends still comes; a source of nothing gives nothing', async () => {
  expect(await sizes(messages(1, 2))).toEqual([[1, 2]])
  expect(await sizes(messages())).toEqual([])
})

test('an error of the source comes out', async () => {
  const source = async function* () {
    yield message(1)
    throw new Error('gone')
  }
  await expect(sizes(source())).rejects.toThrow('gone')
})

async function sizes(source: AsyncIterable<{ data: Uint8Array }>): Promise<number[][]> {
  const found: number[][] = []
  for await (const batch of batches(source, limits)) found.push(batch.map(({ data }) => data.length))
  return found
}

async function* messages(...lengths: number[]) {
  for (const length of lengths) yield message(length)
}

function message(length: number) {
  return { data: new Uint8Array(length) }
}
