import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CgroupPaths, mountsIn, numbersIn } from './cgroup-paths.ts'

const unified = 0n
const memory = 1n

test('the unified hierarchy is found beside the old ones, and under a name with a space', () => {
  expect(mountsIn('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n')).toEqual(new Map([['unified', '/sys/fs/cgroup']]))
  const both = 'cgroup /a cgroup rw,cpu,cpuset 0 0\ncgroup2 /sys/fs/cgroup/uni\\040fied cgroup2 rw 0 0\n'
  expect(mountsIn(both)).toEqual(
    new Map([
      ['cpuset', '/a'],
      ['unified', '/sys/fs/cgroup/uni fied'],
    ]),
  )
  expect(mountsIn('proc /proc proc rw 0 0\n')).toEqual(new Map())
})

test("the kernel's numbers of the old hierarchies are those of /proc/cgroups; one of the unified hierarchy has none", () => {
  const table = (memory: number, pids: number) =>
    `#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t2\t1\nmemory\t${memory}\t24\t1\npids\t${pids}\t2\t1\n`
  expect([...numbersIn(table(4, 8))].sort()).toEqual([
    [0, 'unified'],
    [3, 'cpuset'],
    [4, 'memory'],
    [8, 'pids'],
  ])
  expect([...numbersIn(table(0, 0))].sort()).toEqual([
    [0, 'unified'],
    [3, 'cpuset'],
  ])
  expect(numbersIn(table(4, 4)).get(4)).toBe('memory')
})

test('a group that was made is known in its own hierarchy alone', () => {
  const paths = new CgroupPaths({ mounts: new Map(), numbers: numbersIn('memory\t4\t2\t1\n') })
  paths.made(4, 37n, '/box')
  paths.made(9, 38n, '/of another hierarchy')
  expect(paths.pathOf((37n << 2n) | memory)).toBe('/box')
  expect(paths.pathOf((37n << 2n) | unified)).toBeUndefined()
  expect(paths.pathOf((38n << 2n) | memory)).toBeUndefined()
  expect(paths.unknown).toBe(2)
  expect(paths.pathOf((1n << 2n) | unified)).toBe('/')
})

test('where a part of the hierarchy is mounted its paths are not known: what lies above them is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-cgroups-'))
  await mkdir(join(folder, 'inner'))
  const paths = new CgroupPaths({ mounts: new Map([['unified', folder]]), numbers: new Map() })
  const { ino } = await stat(join(folder, 'inner'), { bigint: true })
  paths.pathOf(ino << 2n)
  await expect.poll(() => paths.unknown).toBe(1)
  expect(paths.pathOf(ino << 2n)).toBeUndefined()
  await rm(folder, { recursive: true })
})
