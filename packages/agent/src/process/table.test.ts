import { describe, expect, it } from 'vitest'
import { scanned } from '../../test/recorded-host.ts'
import type { ForkRecord, KernelRecord } from '../record/record.ts'
import { ProcessTable } from './table.ts'

const second = 1_000_000_000n
let seq = 0
const at = (seconds: number) => BigInt(seconds) * second
const fork = (pid: number, ppid: number, seconds: number, start: bigint | null = at(seconds)): ForkRecord => ({
  type: 'fork',
  seq: ++seq,
  time: at(seconds) + 1_000n,
  pid,
  ppid,
  ...(start !== null && { start }),
})
const exit = (pid: number, seconds: number, started: number): KernelRecord => ({
  type: 'exit',
  seq: ++seq,
  time: at(seconds),
  pid,
  start: at(started),
  code: 0,
})
const table = (options = {}) => new ProcessTable({ bootId: 'boot', ...options })

describe('the process table', () => {
  it('knows a process by host, start and pid: a pid used again is another process', () => {
    const processes = table()
    processes.apply(fork(10, 1, 5))
    processes.apply(exit(10, 6, 5))
    processes.apply(fork(10, 1, 7))
    expect(processes.find(10)?.id).toBe('boot:700:10')
    expect(processes.find(10, at(5))?.endedAt).toBe(at(6))
  })

  it('gives a forked process what its parent was, until it runs a program of its own', () => {
    const processes = table()
    processes.reconcile([scanned({ pid: 9, comm: 'bash', args: ['bash', 'a.sh'], cgroup: '/x', startTicks: 100 })])
    processes.apply(fork(10, 9, 5))
    expect(processes.find(10)).toMatchObject({ program: { args: ['bash', 'a.sh'] }, cgroup: '/x', hasExeced: false })
    processes.apply({ type: 'exec', seq: 1, time: at(5), pid: 10, start: at(5), comm: 'ls', argn: 3, argv: 'ls\0' })
    expect(processes.find(10)).toMatchObject({ program: { comm: 'ls', args: ['ls'] }, hasExeced: true })
    expect(processes.find(9)?.program.args).toEqual(['bash', 'a.sh'])
  })

  it('puts arguments together that came in pieces, and says when a piece is missing', () => {
    const processes = table()
    const exec = {
      type: 'exec',
      seq: 1,
      time: at(5),
      pid: 10,
      start: at(5),
      comm: 'x',
      argn: 12,
      argv: 'x\0abc',
    } as const
    const more = { type: 'args', seq: 2, time: at(5), pid: 10, start: at(5), at: 5, argv: 'defg\0h\0' } as const
    processes.apply(exec)
    expect(processes.find(10)?.program).toMatchObject({ args: ['x', 'abc'], argsTruncated: true })
    processes.apply({ ...more, at: 6 })
    expect(processes.find(10)?.program).toMatchObject({ args: ['x', 'abc'], argsTruncated: true })
    processes.apply(more)
    expect(processes.find(10)?.program).toMatchObject({ args: ['x', 'abcdefg', 'h'], argsTruncated: false })
  })

  it('keeps empty arguments, and tells none from unknown', () => {
    const processes = table()
    const exec = { type: 'exec', seq: 1, time: at(5), pid: 10, start: at(5), comm: 'x' } as const
    processes.apply({ ...exec, argn: 4, argv: 'x\0\0\0' })
    expect(processes.find(10)?.program.args).toEqual(['x', '', ''])
    processes.apply({ ...exec, argn: 0, argv: '' })
    expect(processes.find(10)?.program.args).toEqual([])
    processes.apply(exec)
    expect(processes.find(10)?.program.args).toBeUndefined()
  })

  it('takes the name of the process from its first thread alone', () => {
    const processes = table()
    processes.apply({ type: 'exec', seq: 1, time: at(5), pid: 10, tid: 10, start: at(5), comm: 'java' })
    processes.apply({ type: 'signal', seq: 2, time: at(6), sig: 10, pid: 10, tid: 12, start: at(5), comm: 'pool-1' })
    expect(processes.find(10)?.program.comm).toBe('java')
  })

  it('keeps the original parent when that one ends', () => {
    const processes = table()
    processes.apply(fork(10, 9, 5))
    processes.apply(fork(11, 10, 6))
    processes.apply(exit(10, 7, 5))
    expect(processes.find(11)?.parent?.pid).toBe(10)
  })

  it('finds the parent of a process whose fork was lost in its own records', () => {
    const processes = table()
    processes.reconcile([scanned({ pid: 9, comm: 'bash', startTicks: 100 })])
    processes.apply({
      type: 'signal',
      seq: 1,
      time: at(6),
      sig: 9,
      pid: 10,
      ppid: 9,
      start: at(5),
      tpid: 11,
      tppid: 10,
    })
    expect(processes.find(10)?.parent?.program.comm).toBe('bash')
    expect(processes.find(11)?.parent?.pid).toBe(10)
  })

  it('takes nobody for a parent who is younger, or a descendant: the pid was used again meanwhile', () => {
    const processes = table()
    const signal = { type: 'signal', seq: 1, sig: 15 } as const
    processes.apply(fork(9, 1, 8))
    processes.apply({ ...signal, time: at(9), pid: 10, ppid: 9, start: at(5) })
    expect(processes.find(10)).toMatchObject({ ppid: 9, parent: undefined })
    processes.apply({ ...signal, time: at(9), pid: 20 })
    processes.apply(fork(21, 20, 5))
    processes.apply({ ...signal, time: at(9), pid: 20, ppid: 21 })
    expect(processes.find(20)?.parent).toBeUndefined()
  })

  it('does not take the process that now has the pid of a parent for that parent', () => {
    const processes = table()
    processes.apply(fork(9, 1, 2))
    processes.apply({ ...fork(10, 9, 5), pstart: at(4) })
    expect(processes.find(10)?.parent).toMatchObject({ pid: 9, start: at(4) })
  })

  it('keeps the cgroup that /proc told where a probe sees only the root', () => {
    const processes = table()
    processes.reconcile([scanned({ pid: 10, comm: 'x', startTicks: 500, cgroup: '/docker/a' })])
    const signal = { type: 'signal', seq: 1, time: at(6), sig: 15, pid: 10, start: at(5) } as const
    processes.apply({ ...signal, cgroup: '/' })
    expect(processes.find(10)?.cgroup).toBe('/docker/a')
    processes.apply({ ...signal, cgroup: '/b' })
    expect(processes.find(10)?.cgroup).toBe('/b')
  })

  it('looks the cgroup of a new program up where a probe sees only the root', () => {
    const id = 'ab'.repeat(32)
    const processes = table({ cgroupOf: (pid: number) => (pid === 10 ? `/docker/${id}` : undefined) })
    processes.reconcile([scanned({ pid: 9, comm: 'shim', startTicks: 400, cgroup: '/system.slice/docker.service' })])
    processes.apply(fork(10, 9, 5))
    processes.apply(fork(11, 9, 5))
    expect(processes.find(10)?.cgroup).toBe('/system.slice/docker.service')
    const exec = { type: 'exec', seq: 1, time: at(5), start: at(5), comm: 'x', cgroup: '/' } as const
    processes.apply({ ...exec, pid: 10 })
    processes.apply({ ...exec, pid: 11 })
    expect(processes.find(10)).toMatchObject({ cgroup: `/docker/${id}`, container: { id, runtime: 'docker' } })
    expect(processes.find(11)?.cgroup).toBe('/system.slice/docker.service')
    processes.apply({ ...exec, pid: 10, cgroup: '/told' })
    expect(processes.find(10)?.cgroup).toBe('/told')
  })

  it('finds who a number means in a pid namespace', () => {
    const processes = table()
    processes.reconcile([
      scanned({ pid: 17, comm: 'outside', nspid: 17, nsid: 1 }),
      scanned({ pid: 40, comm: 'inside', nspid: 2, nsid: 7 }),
      scanned({ pid: 41, comm: 'other', nspid: 40, nsid: 7 }),
    ])
    const meant = (pid: number, nsId?: number) => processes.meant(pid, nsId)?.program.comm
    expect(meant(17, 1)).toBe('outside')
    expect(meant(17)).toBe('outside')
    expect(meant(17, 7)).toBeUndefined()
    expect(meant(2, 7)).toBe('inside')
    expect(meant(40, 7)).toBe('other')
  })

  it('keeps with a program as whom it ran', () => {
    const processes = table()
    const signal = { type: 'signal', seq: 1, sig: 15, pid: 10, start: at(5) } as const
    processes.apply({ ...signal, time: at(6), uid: 0, euid: 0 })
    const before = processes.find(10)?.program
    processes.apply({ ...signal, time: at(7), uid: 1001, euid: 1001 })
    expect(before?.user).toEqual({ uid: 0, euid: 0 })
    expect(processes.find(10)).toMatchObject({ uid: 1001, program: { user: { uid: 1001, euid: 1001 } } })
  })

  it('remembers a bounded number of ended processes, the latest', () => {
    const processes = table({ endedMax: 3 })
    for (let pid = 10; pid < 20; pid += 1) {
      processes.apply(fork(pid, 1, pid))
      processes.apply(exit(pid, pid, pid))
    }
    expect(processes.find(19, at(19))).toBeDefined()
    expect(processes.find(16, at(16))).toBeUndefined()
    expect(processes.counters.forgotten).toBe(7)
    expect(processes.size).toBe(4)
  })

  it('keeps a bounded ancestry of a process that forks itself for ever', () => {
    const processes = table({ endedMax: 5 })
    for (let pid = 10; pid < 500; pid += 1) {
      processes.apply(fork(pid + 1, pid, pid))
      processes.apply(exit(pid, pid, pid - 1))
    }
    let length = 0
    for (let entry = processes.find(500); entry !== undefined; entry = entry.parent) length += 1
    expect(length).toBeLessThan(40)
  })

  it('takes over the start of a process that a fork told of without it', () => {
    const processes = table()
    processes.apply(fork(10, 9, 5, null))
    processes.apply({ type: 'exec', seq: 1, time: at(6), pid: 10, start: at(5), comm: 'x' })
    expect(processes.find(10)).toMatchObject({ id: 'boot:500:10', parent: { pid: 9 } })
  })

  it('does not make a second process of a fork that /proc told of already', () => {
    const processes = table()
    processes.reconcile([scanned({ pid: 10, comm: 'x', startTicks: 500 })])
    processes.apply(fork(10, 9, 5, at(5) + 4_000_000n))
    processes.apply(fork(10, 9, 5, null))
    expect(processes.find(10)).toMatchObject({ id: 'boot:500:10', program: { comm: 'x' } })
  })

  it('tells which processes a scan no longer finds', () => {
    const processes = table()
    const scan = [scanned({ pid: 10, comm: 'x', startTicks: 500 }), scanned({ pid: 11, comm: 'y', startTicks: 500 })]
    expect(processes.reconcile(scan)).toEqual([])
    expect(processes.reconcile(scan.slice(1)).map(({ pid }) => pid)).toEqual([10])
  })

  it('ends a process once, however often its end is told', () => {
    const processes = table()
    processes.apply(fork(10, 9, 5))
    expect(processes.apply(exit(10, 6, 5)).ended).toBe(true)
    expect(processes.apply(exit(10, 6, 5)).ended).toBe(false)
  })

  it('tells each end, whether it was seen or only that the pid was given to another', () => {
    const ends: [number, bigint | undefined, boolean][] = []
    const onEnd = ({ pid, start }: { pid: number; start: bigint | undefined }, isSeen: boolean) =>
      void ends.push([pid, start, isSeen])
    const processes = table({ onEnd })
    for (const record of [fork(10, 9, 5), exit(10, 6, 5), fork(10, 9, 7), fork(10, 9, 8)]) processes.apply(record)
    expect(ends).toEqual([
      [10, at(5), true],
      [10, at(7), false],
    ])
  })

  it('keeps which of its parent’s children a process is, its session, and since when it runs its program', () => {
    const processes = table()
    processes.reconcile([scanned({ pid: 9, comm: 'bash', startTicks: 100, sid: 9 })])
    for (const record of [fork(10, 9, 5), fork(11, 9, 6)]) processes.apply(record)
    processes.apply({ type: 'exec', seq: 1, time: at(7), pid: 11, start: at(6), sid: 11, comm: 'daemon' })
    expect(processes.find(9)?.children).toBe(2)
    expect(processes.find(10)).toMatchObject({ birth: 1, sid: 9, execedAt: undefined })
    expect(processes.find(11)).toMatchObject({ birth: 2, sid: 11, execedAt: at(7) })
  })

  it('looks a process up that it never heard of, and takes no other for it', () => {
    const lookUp = (pid: number) => scanned({ pid, comm: 'found', startTicks: 500 })
    const processes = table({ lookUp })
    const signal = { type: 'signal', seq: 1, time: at(6), sig: 15, pid: 30 } as const
    processes.apply({ ...signal, tpid: 10, tstart: at(5) })
    processes.apply({ ...signal, tpid: 11, tstart: at(4) })
    expect(processes.find(10)?.program.comm).toBe('found')
    expect(processes.find(11)?.program.comm).toBeUndefined()
    expect(processes.counters.inferred).toBe(3)
  })
})
