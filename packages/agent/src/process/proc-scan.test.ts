import { describe, expect, it } from 'vitest'
import {
  describe as describeFiles,
  lookUpCgroup,
  lookUpExe,
  lookUpProc,
  scanProc,
  startOfScanned,
} from './proc-scan.ts'

interface Stat {
  readonly comm?: string
  readonly state?: string
  readonly tty?: number
}

function stat({ comm = 'nginx', state = 'S', tty = 0 }: Stat = {}): string {
  return `42 (${comm}) ${state} 7 40 39 ${tty} -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 200 18446744073709551615\n`
}

const status = 'Name:\tnginx\nUid:\t1001\t0\t1001\t1001\nGid:\t5\t5\t5\t5\nNSpid:\t42\t12\t3\n'

const none = {
  status: undefined,
  cmdline: undefined,
  cgroup: undefined,
  loginuid: undefined,
  sessionid: undefined,
  exe: undefined,
  pidNamespace: undefined,
}

describe('what /proc tells of a process', () => {
  it('is put together from its files', () => {
    const process = describeFiles({
      stat: stat(),
      status,
      cmdline: 'nginx\0-g\0daemon off;\0',
      cgroup: '12:cpu:/old\n0::/system.slice/nginx.service\n',
      loginuid: '1001',
      sessionid: '7',
      exe: '/usr/sbin/nginx',
      pidNamespace: 'pid:[4026531836]',
    })
    expect(process).toEqual({
      ...{ pid: 42, ppid: 7, pgrp: 40, sid: 39, startTicks: 123_456, comm: 'nginx', tty: '' },
      ...{ exe: '/usr/sbin/nginx', args: ['nginx', '-g', 'daemon off;'], uid: 1001, euid: 0, luid: 1001, ses: 7 },
      ...{ nspid: 3, nsid: 4_026_531_836, cgroup: '/system.slice/nginx.service' },
    })
    expect(process && startOfScanned(process)).toBe(1_234_560_000_000n)
  })

  it.each(['a) S 1 1 1 (b', ') (', '(()', 'a\nb', ' ', '', ') R 1 2 3 4 5', '\t\xff\xfe)'])(
    'is not forged by the name %j',
    (comm) => {
      expect(describeFiles({ ...none, stat: stat({ comm }) })).toMatchObject({
        pid: 42,
        ppid: 7,
        comm,
        startTicks: 123_456,
      })
    },
  )

  it.each([
    ['unified', '0::/system.slice/nginx.service\n', '/system.slice/nginx.service'],
    // https://github.com/ctrsploit/ctrsploit/issues/280: version 1 in use, the unified hierarchy beside it.
    [
      'unified, where it has more than a root',
      '8:memory:/docker/2403ccfe427f\n1:name=systemd:/docker/2403ccfe427f\n0::/system.slice/containerd.service\n',
      '/system.slice/containerd.service',
    ],
    ['memory', '9:pids:/b\n4:memory:/a\n3:cpuset:/c\n1:name=systemd:/d\n0::/\n', '/a'],
    ['memory, mounted with others', '4:hugetlb,memory:/a\n3:cpuset:/c\n', '/a'],
    ['pids', '9:pids:/b\n4:memory:/\n3:cpuset:/c\n0::/\n', '/b'],
    ['cpuset', '9:pids:/\n4:memory:/\n3:cpuset:/c\n1:name=systemd:/d\n', '/c'],
    [
      'name=systemd',
      '9:pids:/\n4:memory:/\n3:cpu,cpuset:/\n1:name=systemd:/system.slice/a:b.service\n',
      '/system.slice/a:b.service',
    ],
    ['the root', '4:memory:/\n1:name=systemd:/\n0::/\n', '/'],
    ['none', '5:freezer:/x\n4:memory:/\n', undefined],
    ['removed since', '0::/a.scope (deleted)\n', '/a.scope'],
  ])('has the path of the cgroup that tells most: %s', (_which, cgroup, path) => {
    expect(describeFiles({ ...none, stat: stat(), cgroup })?.cgroup).toBe(path)
  })

  it('leaves out what cannot be read, and the arguments of kernel threads and zombies', () => {
    expect(describeFiles({ ...none, stat: stat({ state: 'Z' }), cmdline: '' })).toEqual({
      ...{ pid: 42, ppid: 7, pgrp: 40, sid: 39, startTicks: 123_456, comm: 'nginx', tty: '' },
    })
  })

  it('keeps empty arguments', () => {
    expect(describeFiles({ ...none, stat: stat(), cmdline: 'a\0\0b\0\0' })?.args).toEqual(['a', '', 'b', ''])
    expect(describeFiles({ ...none, stat: stat(), cmdline: 'title without end' })?.args).toEqual(['title without end'])
  })

  it.each([
    [0, ''],
    [0x0401, 'tty1'],
    [0x0440, 'ttyS0'],
    [0x8800, 'pts/0'],
    [0x8803, 'pts/3'],
    [0x8901, 'pts/257'],
    [0x8800 + 0x100000, 'pts/256'],
    [0x0501, 'tty(5:1)'],
  ])('names the terminal of device number %d: %s', (tty, name) => {
    expect(describeFiles({ ...none, stat: stat({ tty }) })?.tty).toBe(name)
  })

  it.each([undefined, '', '42 nginx S 1', '42 (nginx) S 1 2 3', 'x (nginx) S 1 2 3 4', stat({ state: 'X' })])(
    'is nothing where there is no process: %j',
    (text) => {
      expect(describeFiles({ ...none, stat: text })).toBeUndefined()
    },
  )
})

describe('a scan of this host', () => {
  it('finds this process, as a single look does', async () => {
    const scanned = (await scanProc()).find(({ pid }) => pid === process.pid)
    expect(scanned).toMatchObject({ pid: process.pid, ppid: process.ppid, uid: process.getuid?.() })
    expect(scanned?.exe).toBe(process.execPath)
    expect(lookUpProc(process.pid)).toEqual(scanned)
  })

  it('tells program and cgroup of a process, and of no other that has its pid by now', () => {
    const own = lookUpProc(process.pid)
    if (own === undefined) throw new Error('Expected this process in /proc.')
    expect(lookUpExe(process.pid, startOfScanned(own))).toBe(process.execPath)
    expect(lookUpCgroup(process.pid, startOfScanned(own))).toBe(own.cgroup)
    expect(lookUpExe(process.pid, startOfScanned(own) - 10_000_000n)).toBeUndefined()
    expect(lookUpCgroup(process.pid, undefined)).toBeUndefined()
  })

  it('finds nothing under a pid that nobody has', () => {
    expect(lookUpProc(2 ** 22 + 1)).toBeUndefined()
  })
})
