import { describe, expect, it } from 'vitest'
import { scanned } from '../../test/recorded-host.ts'
import { ProcessTable } from './table.ts'

const second = 1_000_000_000n
const shell = scanned({ pid: 9, comm: 'bash', exe: '/bin/bash', args: ['bash', 'deploy.sh'], startTicks: 100 })
const fork = { type: 'fork', seq: 1, time: 5n * second, pid: 10, start: 5n * second, ppid: 9 } as const
const exec = { type: 'exec', seq: 2, time: 5n * second, pid: 10, start: 5n * second, ppid: 9 } as const
const exit = { type: 'exit', seq: 3, time: 7n * second, pid: 10, tid: 10, start: 5n * second, code: 0 } as const

/** A table of a host on which a record was lost at this second. */
function tableWithLoss(at: bigint | undefined): ProcessTable {
  const lostBetween = (from: bigint, to: bigint) => at !== undefined && from <= at * second && to >= at * second
  const table = new ProcessTable({ bootId: 'boot', lostBetween })
  table.reconcile([shell])
  table.apply(fork)
  return table
}

describe('a forked process that goes by another name', () => {
  it('has run a program, if the record of that may be lost; what its parent runs is not named for it', () => {
    const table = tableWithLoss(6n)
    const { process } = table.apply({ ...exit, comm: 'nginx' })
    expect(process).toMatchObject({ hasExeced: true, program: { comm: 'nginx', args: undefined, exe: undefined } })
    expect(table.find(9)?.program.args).toEqual(['bash', 'deploy.sh'])
  })

  it('has given itself that name, if nothing was lost, if it was forked later, or if it runs the same file', () => {
    for (const [lostAt, facts] of [
      [undefined, { comm: 'worker' }],
      [20n, { comm: 'worker' }],
      [6n, { comm: 'worker', exe: '/bin/bash' }],
      [6n, { comm: '(sd-pam)' }],
      [6n, { comm: 'worker', tid: 11 }],
    ] as const) {
      const { process } = tableWithLoss(lostAt).apply({ ...exit, ...facts })
      expect(process).toMatchObject({ hasExeced: false, program: { args: ['bash', 'deploy.sh'] } })
    }
  })

  it('is a fork of a program whose own exec was lost', () => {
    const table = tableWithLoss(6n)
    table.apply({ ...fork, time: 8n * second, pid: 11, start: 8n * second, ppid: 10, pstart: 5n * second })
    const { process } = table.apply({ ...exit, time: 9n * second, pid: 11, tid: 11, start: 8n * second, comm: 'nginx' })
    expect(process).toMatchObject({ hasExeced: false, program: { comm: 'nginx', args: undefined } })
  })
})

describe('a process that was seen to run a program', () => {
  const run = { ...exec, comm: 'sh', exe: '/bin/sh', argn: 8, argv: 'sh\0x.sh\0' } as const

  it('runs another one by now, if its file is another or it was one that runs others', () => {
    for (const facts of [{ comm: 'nginx' }, { comm: 'sh', exe: '/bin/busybox' }]) {
      const table = tableWithLoss(6n)
      table.apply(run)
      expect(table.apply({ ...exit, ...facts }).process?.program.args).toBeUndefined()
    }
  })

  it('keeps its arguments if it only gives itself a name', () => {
    const table = tableWithLoss(6n)
    table.apply({ ...exec, comm: 'node', exe: '/bin/node', argn: 13, argv: 'node\0app.js\0' })
    expect(table.apply({ ...exit, comm: 'MainThread' }).process?.program.args).toEqual(['node', 'app.js'])
  })
})

it('takes the program from /proc, where a scan after the loss finds another', () => {
  const table = tableWithLoss(6n)
  const app = scanned({ pid: 10, comm: 'bash', exe: '/bin/bash', args: ['bash', 'shop.sh'], startTicks: 500 })
  table.reconcile([shell, app], 8n * second)
  expect(table.find(10)).toMatchObject({ hasExeced: true, program: { args: ['bash', 'shop.sh'] } })
})
