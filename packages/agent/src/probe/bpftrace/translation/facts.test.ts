import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPrinted } from './facts.ts'
import { Words } from './words.ts'

describe('words', () => {
  test('bytes are read from words of eight, the first in the lowest digits', () => {
    expect(new Words(['2f6e69622f727375', '68732f']).name(2)).toBe('usr/bin//sh')
    expect(new Words(['6873', '0']).name(2)).toBe('sh')
    expect(new Words(['ff00000000000001']).bytes(1)).toBe('\x01\0\0\0\0\0\0\xff')
  })

  test('two numbers are read from one word', () => {
    expect(new Words(['3e9000003e8']).pair()).toEqual([1001, 1000])
    expect(new Words(['ffffffffffffffff']).pair()).toEqual([4_294_967_295, 4_294_967_295])
  })
})

describe('lines', () => {
  test('a hostile line is no line of the probe', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const printed = readPrinted(text)
        if (printed !== undefined) expect(text).toMatch(/^(?:[A-Z] [-0-9a-f ]+|@n\[\d+\]: \d+|Lost \d+ events)$/)
      }),
    )
    expect(readPrinted('S 1 2')).toBeUndefined()
    expect(readPrinted('Attaching 24 probes...')).toBeUndefined()
  })

  test('a fork has the namespace numbers of the child, if the child was found', () => {
    const fork = (found: number) => readPrinted(`F 0 3 900 77 ${found} 800 2 4026532177 42 43 500 42 500`)
    const known = { start: 800n, nspid: 2, nsid: 4026532177 }
    expect(fork(77)).toMatchObject({ draft: { fields: { pid: 77, ...known, ppid: 42, ptid: 43, pstart: 500n } } })
    expect(fork(0)).toMatchObject({ draft: { fields: { pid: 77, ppid: 42, ptid: 43, pstart: 500n } } })
    expect(fork(0)).not.toHaveProperty('draft.fields.start')
  })

  test('a child made with CLONE_PARENT has the parent of its maker, whose thread is not known', () => {
    const sibling = readPrinted('F 0 3 900 77 77 800 77 4026531836 42 43 500 7 100')
    expect(sibling).toMatchObject({ draft: { fields: { pid: 77, ppid: 7, pstart: 100n } } })
    expect(sibling).not.toHaveProperty('draft.fields.ptid')
  })

  test('a pid is 32 bits of a register: the rest is not its own', () => {
    const failed = (arg: string) =>
      readPrinted(`K 0 1 9 42 42 1 5 0 0 400000 1 1 42 4026531836 1 0 0 6873 0 1 ${arg} 9 -3`)
    expect(failed('4294967295')).toMatchObject({ draft: { fields: { call: 'kill', arg: -1, sig: 9, err: 3 } } })
    expect(failed('-42')).toMatchObject({ draft: { fields: { arg: -42 } } })
  })

  test('a terminal is named as under /dev', () => {
    const exit = (driver: string) =>
      readPrinted(`E 0 1 9 42 42 1 5 0 0 400000 1 1 42 4026531836 1 ${driver} 6873 0 256 2`)
    expect(exit('64616f6c00737470 3')).toMatchObject({
      draft: { fields: { tty: 'pts/3', comm: 'sh', code: 256, seccomp: 2 } },
    })
    expect(exit('53797474 0')).toMatchObject({ draft: { fields: { tty: 'ttyS0' } } })
    expect(exit('0 0')).toMatchObject({ draft: { fields: { tty: '' } } })
  })

  test('an opened file is told with what is needed to look at it', () => {
    const open = readPrinted('P 0 9 9 42 42 1 5 0 0 400000 1 1 42 4026531836 4 0 0 6873 0 518 1 7788 5 1021994')
    expect(open).toMatchObject({
      n: 9,
      draft: {
        type: 'open',
        fields: { pid: 42, write: 1 },
        path: { lines: 2, isWhole: true, isDeleted: true },
        opened: { inode: 7788n, size: 5n, fileSystem: 0x01021994, hasOwnRoot: true },
      },
    })
  })

  test("a line of the kernel's log has as many further lines as its length asks for", () => {
    const log = (bytes: number) => readPrinted(`L 0 9 9 42 43 5 ${bytes}${' 6161616161616161'.repeat(16)}`)
    expect(log(9)).toMatchObject({ lines: 0, draft: { log: [{ at: 0, bytes: 'a'.repeat(9) }], logBytes: 9 } })
    expect(log(128)).toMatchObject({ lines: 0 })
    expect(log(129)).toMatchObject({ lines: 1, draft: { fields: { pid: 42, tid: 43, start: 5n } } })
    expect(log(60_000)).toMatchObject({ lines: 7, draft: { logBytes: 1_024 } })
  })
})
