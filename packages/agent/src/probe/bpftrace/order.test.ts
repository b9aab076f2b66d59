import { describe, expect, test } from 'vitest'
import { FactOrder, type Ordered, quietMs } from './order.ts'
import { readPrinted } from './translation/facts.ts'
import type { Fact, PrintedLine } from './translation/printed-line.ts'

const ms = 1_000_000n

function fork(cpu: number, n: number, atMs: number): Fact {
  return { kind: 'fact', cpu, n, lines: 0, draft: { type: 'fork', time: BigInt(atMs) * ms, fields: { pid: atMs } } }
}

function heartbeat(cpu: number, n: number, atMs: number): Fact {
  return { kind: 'fact', cpu, n, lines: 0, draft: { type: 'heartbeat', time: BigInt(atMs) * ms, fields: {} } }
}

function timesMs(ordered: readonly Ordered[]): (number | string)[] {
  return ordered.map((one) => (one.kind === 'lost' ? `lost ${one.lines}` : Number(one.draft.time / ms)))
}

describe('order', () => {
  test('a fact waits until every active processor has come as far', () => {
    const order = new FactOrder()
    order.push(fork(0, 1, 1), 1)
    order.push(fork(1, 1, 2), 1)
    order.push(fork(0, 2, 9), 2)
    expect(timesMs(order.due(2))).toEqual([1, 2])
    order.push(fork(1, 2, 5), 3)
    expect(timesMs(order.due(3))).toEqual([5])
    order.push(fork(1, 3, 12), 4)
    expect(timesMs(order.due(4))).toEqual([9])
    expect(order.late).toBe(0)
  })

  test('after a quiet moment everything is passed on', () => {
    const order = new FactOrder()
    order.push(fork(1, 1, 1), 0)
    order.push(fork(0, 1, 9), 1)
    expect(timesMs(order.due(2))).toEqual([1])
    expect(timesMs(order.due(1 + quietMs))).toEqual([9])
  })

  test('what comes later still is passed on, and counted', () => {
    const order = new FactOrder()
    order.push(fork(0, 1, 9), 0)
    expect(timesMs(order.due(quietMs))).toEqual([9])
    order.push(fork(1, 1, 5), quietMs + 1)
    expect(timesMs(order.due(3 * quietMs))).toEqual([5])
    expect(order.late).toBe(1)
  })

  test('no more than 65,536 facts wait', () => {
    const order = new FactOrder()
    order.push(fork(1, 1, 0), 0)
    for (let n = 1; n <= 65_540; n += 1) order.push(fork(0, n, n), 0)
    expect(order.due(0)).toHaveLength(5)
  })
})

describe('a processor that is not heard any more', () => {
  const beats = (order: FactOrder, seconds: readonly number[], counted: (second: number) => number) => {
    for (const second of seconds) {
      order.push({ kind: 'count', cpu: 1, n: counted(second) }, second * 1_000)
      order.push(heartbeat(0, second, second * 1_000), second * 1_000)
    }
  }

  test('is found out when its count grows at three heartbeats and no line comes', () => {
    const order = new FactOrder()
    order.push(fork(1, 1, 500), 500)
    beats(order, [1, 2, 3], (second) => second)
    expect(order.unheard).toBeUndefined()
    beats(order, [4], (second) => second)
    expect(order.unheard).toBe(1)
  })

  test('is none that has nothing to tell, or that loses some of much', () => {
    const order = new FactOrder()
    order.push(fork(1, 1, 500), 500)
    beats(order, [1, 2, 3, 4, 5, 6], () => 1)
    for (const second of [7, 8, 9, 10, 11]) {
      beats(order, [second], () => second * 100)
      order.push(fork(1, second * 100 + 2, second * 1_000 + 500), second * 1_000 + 500)
    }
    expect(order.unheard).toBeUndefined()
  })
})

describe('loss', () => {
  test('a hole in the count of a processor is lost lines, in the place where they would have been', () => {
    const order = new FactOrder()
    order.push(fork(0, 1, 1), 0)
    order.push(fork(0, 5, 9), 0)
    expect(timesMs(order.due(quietMs))).toEqual([1, 'lost 3', 9])
  })

  test('lines lost at the end of a burst are found at the second heartbeat after it', () => {
    const order = new FactOrder()
    order.push(fork(1, 1, 1), 1)
    order.push(heartbeat(0, 1, 1_000), 1_000)
    order.push({ kind: 'count', cpu: 1, n: 4 }, 1_000)
    expect(timesMs(order.due(1_999))).toEqual([1, 1_000])
    order.push(heartbeat(0, 2, 2_000), 2_000)
    expect(timesMs(order.due(2_999))).toEqual(['lost 3', 2_000])
  })

  test('while bpftrace has a backlog nothing is given up', () => {
    const order = new FactOrder()
    order.push(heartbeat(0, 1, 1_000), 1_000)
    order.push({ kind: 'count', cpu: 1, n: 2 }, 1_000)
    order.push(heartbeat(0, 2, 2_000), 5_000)
    order.push(fork(1, 1, 900), 5_001)
    order.push(fork(1, 2, 901), 5_001)
    expect(timesMs(order.due(9_000))).toEqual([900, 901, 1_000, 2_000])
  })

  test('at its end the last counts tell what is missing', () => {
    const order = new FactOrder()
    order.push(fork(0, 1, 1), 1)
    order.push({ kind: 'count', cpu: 0, n: 3 }, 2)
    expect(timesMs(order.flush(3))).toEqual([1, 'lost 2'])
  })
})

describe('a fact of several lines', () => {
  const signal =
    'S 1 7 9000000 42 42 1 5000000 0 ffffffffffffffff 400000 1 1 42 4026531836 1 0 0 6873 0 15 0 1 0 1 77 33 62 1 77'
  const target = 'T 1 8 7 77 77 77 42 6000000 0 77 4026531836 1 706565 6c73 0 0'
  const read = (line: string) => readPrinted(line) as Exclude<PrintedLine, { kind: 'begin' | 'lost' }>

  test('waits for the rest of its lines', () => {
    const order = new FactOrder()
    for (let n = 1; n <= 6; n += 1) order.push(fork(1, n, n), 0)
    order.push(read(signal), 0)
    expect(timesMs(order.due(quietMs))).toEqual([1, 2, 3, 4, 5, 6])
    order.push(read(target), quietMs)
    const [whole] = order.due(2 * quietMs)
    expect(whole).toMatchObject({ draft: { fields: { pid: 42, call: 'kill', arg: 77, tpid: 77, disp: 'default' } } })
  })

  test('a timer of another process is an interrupt, that of the same process may be none', () => {
    const ctxOf = (timer: string, of: string) => {
      const order = new FactOrder()
      order.push(read(timer), 0)
      order.push(read(of), 0)
      return order.due(quietMs)[0]
    }
    const timer = signal.replace('S 1 7', 'S 1 1').replace('15 0 1 0 1 77 33 62 1 77', '14 -2 1 0 0 0 33 -1 1 0')
    expect(ctxOf(timer, target.replace('8 7', '2 1'))).toMatchObject({ draft: { fields: { code: -2, ctx: 2 } } })
    const own = target.replace('8 7 77 77 77', '2 1 42 42 42')
    expect(ctxOf(timer, own)).toMatchObject({ draft: { fields: { tpid: 42, ctx: 0 } } })
  })

  test('is passed on without a line that was lost', () => {
    const order = new FactOrder()
    order.push(read(signal.replace('S 1 7', 'S 1 1')), 0)
    order.push(fork(1, 3, 10), 0)
    const [alone, ...more] = order.due(quietMs)
    expect(alone).toMatchObject({ draft: { type: 'signal' } })
    expect(alone).not.toHaveProperty('draft.fields.tpid')
    expect(timesMs(more)).toEqual(['lost 1', 10])
  })
})
