import { describe, expect, test } from 'vitest'
import type { Oom } from '../event.ts'
import type { Process } from '../process.ts'
import { bytesText, eaterText, holdersText, type MemoryDeath, memoryText } from './memory-text.ts'

const mebibyte = 1024 ** 2
const victim = {
  pid: 4242,
  comm: 'nginx',
  exe: '/usr/sbin/nginx',
  args: ['nginx'],
  ancestors: [],
} as unknown as Process
const reached = (oom: Partial<Oom> = {}): MemoryDeath => ({
  victim,
  oom: { scope: 'cgroup', cgroup: '/shop', limitBytes: 64 * mebibyte, consumers: null, ...oom },
})
const tuner = { ...victim, pid: 77, comm: 'tune', exe: '/bin/tune', args: ['tune'], user: 'root', uid: 0 }
const hog = { pid: 812, comm: 'java', bytes: 60.5 * mebibyte }
const itself = { pid: 4242, comm: 'nginx', bytes: 2 * mebibyte }

describe('why the OOM killer ran', () => {
  test.each<[Partial<Oom>, string]>([
    [{}, 'cgroup /shop reached its limit of 64 MiB'],
    [{ limitBytes: null }, 'cgroup /shop reached its memory limit'],
    [{ limitSetBy: tuner }, 'tune (pid 77, user root) set the limit of cgroup /shop to 64 MiB, less than it used'],
    [
      { limitSetBy: { ...tuner, user: null }, limitBytes: null },
      'tune (pid 77, uid 0) set the memory limit of cgroup /shop, less than it used',
    ],
    [{ cgroup: null, limitBytes: null }, 'a memory limit of its cgroup was reached'],
    [{ scope: 'host', cgroup: null, limitBytes: null }, 'the host was out of memory'],
    [{ scope: 'nodes' }, 'the memory nodes that it may use were full'],
    [{ scope: 'sysrq' }, 'somebody called the OOM killer by hand (SysRq f)'],
    [{ scope: 'unknown' }, 'memory ran out'],
    [{ cgroup: '/a\n\x1b[31m' }, 'cgroup /a\\x0a\\x1b[31m reached its limit of 64 MiB'],
  ])('%o', (oom, text) => {
    expect(memoryText(reached(oom))).toBe(text)
  })
})

describe('who held the memory', () => {
  test('is said in the summary where it was not the victim', () => {
    expect(eaterText(reached({ consumers: [hog, itself] }))).toBe('; most memory was held by java (pid 812, 60.5 MiB)')
    expect(eaterText(reached({ consumers: [itself, { ...hog, bytes: mebibyte }] }))).toBe('')
    expect(eaterText(reached({ consumers: [hog, { ...itself, bytes: hog.bytes }] }))).toBe('')
    expect(eaterText(reached())).toBe('')
    expect(eaterText(reached({ scope: 'sysrq', consumers: [hog] }))).toBe('')
  })

  test('is a line of the story, with those who held most', () => {
    expect(holdersText(reached({ consumers: [hog, itself] }))).toBe(
      'most was held by java (pid 812, 60.5 MiB), itself (2 MiB)',
    )
    const many = [1, 2, 3, 4, 5].map((pid) => ({ pid, comm: `p${pid}`, bytes: mebibyte }))
    expect(holdersText(reached({ consumers: many }))).toBe(
      'most was held by p1 (pid 1, 1 MiB), p2 (pid 2, 1 MiB), p3 (pid 3, 1 MiB)',
    )
  })

  test('is said to be unknown where the kernel did not list it', () => {
    expect(holdersText(reached())).toMatch(/^who held it is not known: .*vm\.oom_dump_tasks/)
    expect(holdersText(reached({ scope: 'unknown' }))).toBeUndefined()
    expect(holdersText({ victim, oom: null })).toBeUndefined()
    expect(holdersText({ victim, oom: { scope: 'host', cgroup: null, limitBytes: null } })).toBeUndefined()
  })

  test('was nobody, where files in memory filled it', () => {
    const filled = reached({ consumers: [{ ...itself, bytes: mebibyte }], processBytes: mebibyte })
    expect(eaterText(filled)).toBe('; most memory was not held by processes, but by files in memory or the kernel')
    expect(holdersText(filled)).toMatch(/^most was held by files in memory .*; of processes by itself \(1 MiB\)$/)
    const held = reached({ consumers: [itself], processBytes: 63 * mebibyte })
    expect(eaterText(held)).toBe('')
  })

  test('cannot write into the sentence by its name', () => {
    const liar = { pid: 7, comm: 'a), init (pid 1', bytes: 60 * mebibyte }
    expect(eaterText(reached({ consumers: [liar] }))).toBe(
      "; most memory was held by 'a), init (pid 1' (pid 7, 60 MiB)",
    )
  })
})

test('bytes are told in the largest unit that fits', () => {
  expect([0, 1, 1023, 1024, 1536, 20 * mebibyte, 3.26 * 1024 ** 3].map(bytesText)).toEqual([
    '0 bytes',
    '1 bytes',
    '1023 bytes',
    '1 KiB',
    '1.5 KiB',
    '20 MiB',
    '3.3 GiB',
  ])
})
