import { expect, test } from 'vitest'
import type { ProcessEntry } from './entry.ts'
import type { ScannedProcess } from './proc-scan.ts'
import { ProcessTable } from './table.ts'
import { Vanished } from './vanished.ts'

const second = 1_000_000_000n
const process = (pid: number): ScannedProcess => ({ pid, ppid: 1, startTicks: 100 + pid, comm: `p${pid}` })

function gone(...pids: number[]): { table: ProcessTable; vanished: Vanished } {
  const onEnd = (process: ProcessEntry, isSeen: boolean) => vanished.ended(process, isSeen, 95n * second)
  const table = new ProcessTable({ bootId: 'boot', onEnd })
  const vanished = new Vanished(table)
  table.reconcile([1, 2, 3].map(process))
  vanished.missed(
    table.reconcile([1, 2, 3].filter((pid) => !pids.includes(pid)).map(process)),
    100n * second,
    90n * second,
  )
  return { table, vanished }
}

test('a process that a scan no longer found has ended, if no record tells of it within two seconds', () => {
  const { table, vanished } = gone(2, 3)
  expect(vanished.overdue(101n * second)).toEqual([])
  expect(
    vanished.overdue(102n * second).map(({ process: { pid, endedAt }, at, aliveAt }) => [pid, endedAt, at, aliveAt]),
  ).toEqual([
    [2, 100n * second, 100n * second, 90n * second],
    [3, 100n * second, 100n * second, 90n * second],
  ])
  expect(table.find(2)).toBeUndefined()
  expect(vanished.overdue(200n * second)).toEqual([])
})

test('a process whose end was told meanwhile is not told again', () => {
  const { table, vanished } = gone(2)
  table.end(table.find(2), 101n * second, true)
  expect(vanished.overdue(200n * second)).toEqual([])
})

test('a process missed by a second scan too waits since the first', () => {
  const { table, vanished } = gone(2)
  vanished.missed(table.reconcile([1, 3].map(process)), 101n * second, 100n * second)
  expect(vanished.overdue(102n * second)).toMatchObject([{ process: { pid: 2 }, aliveAt: 90n * second }])
})

test('a process whose pid another has got has ended, whether it was missed before or not', () => {
  const { table, vanished } = gone(2)
  for (const pid of [2, 3])
    table.apply({ type: 'fork', seq: pid, time: 101n * second, pid, start: 101n * second, ppid: 1 })
  expect(vanished.overdue(101n * second)).toMatchObject([
    { process: { id: 'boot:102:2' }, at: 100n * second, aliveAt: 90n * second },
    { process: { id: 'boot:103:3' }, at: 101n * second, aliveAt: 95n * second },
  ])
  expect(vanished.overdue(200n * second)).toEqual([])
})
