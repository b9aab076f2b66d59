import { describe, expect, test } from 'vitest'
import { lineBytesMax, parseRecord } from '../../../record/parse.ts'
import type { KernelRecord } from '../../../record/record.ts'
import { BpftraceEncoder } from './encode.ts'
import type { Draft } from './printed-line.ts'

function encoder(path: string | undefined = '/a'): BpftraceEncoder {
  return new BpftraceEncoder(
    () => ({ real: 3n, mono: 1n, boot: 2n }),
    () => path,
  )
}

function encode(drafts: readonly Draft[], using = encoder()): KernelRecord[] {
  return drafts.flatMap((draft) => using.encode({ kind: 'draft', draft })).map(parsed)
}

function parsed(line: string): KernelRecord {
  expect(line.length).toBeLessThanOrEqual(lineBytesMax)
  const answer = parseRecord(line)
  if ('rejected' in answer) throw new Error(`expected a record, it was rejected: ${answer.rejected}`)
  return answer.record
}

function execOf(args: string, file = '/bin/true\0'): Draft {
  const pieces = (bytes: string, step: number) =>
    Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) => ({
      at: i * step,
      bytes: bytes.slice(i * step, (i + 1) * step),
    }))
  return {
    type: 'exec',
    time: 9n,
    fields: { pid: 7, start: 5n, argn: args.length, comm: 'true' },
    fileBytes: file.length,
    file: pieces(file, 64),
    argv: pieces(args, 128),
  }
}

function joined(records: readonly KernelRecord[]): string {
  let whole = ''
  for (const record of records) {
    if (record.type !== 'exec' && record.type !== 'args') continue
    if (record.type === 'args') expect(record.at).toBe(whole.length)
    whole += record.argv ?? ''
  }
  return whole
}

describe('exec', () => {
  test.each([0, 1, 127, 128, 129, 800, 4_096, 8_192])(
    '%d bytes of arguments come whole, however they are escaped',
    (length) => {
      const bytes = Array.from({ length }, (_, i) => String.fromCharCode(i % 256)).join('')
      const records = encode([execOf(bytes)])
      expect(joined(records)).toBe(bytes)
      expect(records[0]).toMatchObject({ type: 'exec', pid: 7, argn: length, file: '/bin/true' })
    },
  )

  test('what lies behind a lost piece stays in its place', () => {
    const draft = execOf('a'.repeat(600))
    draft.argv?.splice(0, 1)
    const [exec, args] = encode([draft])
    expect(exec).not.toHaveProperty('argv')
    expect(args).toMatchObject({ type: 'args', at: 128, pid: 7, start: 5n, argv: 'a'.repeat(472) })
  })

  test('half a file name is left out', () => {
    const draft = execOf('x', `${'/long'.repeat(50)}\0`)
    draft.file?.pop()
    expect(encode([draft])[0]).not.toHaveProperty('file')
  })
})

describe('lines that hold long strings', () => {
  const worst = (length: number) => '\n'.repeat(length)

  test('an exec with the longest of everything stays within 4,000 bytes', () => {
    const most = {
      pid: 4_194_304,
      start: 10n ** 18n,
      comm: worst(15),
      tty: worst(10),
      luid: 2 ** 32 - 1,
      ses: 2 ** 32 - 1,
    }
    const numbers = { tid: 4_194_304, ppid: 4_194_304, uid: 2 ** 32 - 1, euid: 2 ** 32 - 1, sid: 4_194_304 }
    const more = { pgrp: 4_194_304, nspid: 4_194_304, nsid: 2 ** 32 - 1, oldtid: 4_194_304, exe: worst(250) }
    const draft = execOf(worst(8_192), `${worst(225)}\0`)
    const fields = { ...draft.fields, ...most, ...numbers, ...more }
    const records = encode([{ ...draft, time: 10n ** 18n, fields, cgroup: 1n }], encoder(worst(225)))
    expect(records[0]).toMatchObject({ exe: worst(250), file: worst(225), cgroup: worst(225) })
    expect(joined(records)).toBe(worst(8_192))
  })

  test('a path that is too long is left out of an exec, and leaves no open', () => {
    const draft = execOf('x')
    expect(encode([{ ...draft, fields: { ...draft.fields, exe: worst(251) } }])[0]).not.toHaveProperty('exe')
    const open = (path: string): Draft => ({ type: 'open', time: 9n, fields: { pid: 7, path, write: 0, text: '7\n' } })
    expect(encode([open(`/run/${worst(501)}`)])).toEqual([])
    expect(encode([open('/run/a.pid')])).toMatchObject([{ type: 'open', seq: 1, path: '/run/a.pid', text: '7\n' }])
  })

  test('an open whose path is not known is none', () => {
    expect(encode([{ type: 'open', time: 9n, fields: { pid: 7, write: 0 } }])).toEqual([])
  })

  test("a line of the kernel's log comes without its end, and not in part", () => {
    const log = (text: string, logBytes = text.length): Draft => ({
      ...{ type: 'log', time: 9n, fields: { pid: 7, tid: 8, start: 5n }, logBytes },
      log: [
        { at: 0, bytes: text.slice(0, 128) },
        { at: 128, bytes: text.slice(128) },
      ],
    })
    expect(encode([log('Tasks state\n\0')])).toMatchObject([{ type: 'log', pid: 7, tid: 8, text: 'Tasks state' }])
    const row = `[    42] ${'x'.repeat(200)}\n`
    expect(encode([log(`${row}\n\0`)])).toMatchObject([{ text: row }])
    expect(encode([log(row, 1_000)])).toEqual([])
  })
})

describe('numbers', () => {
  test('lost lines leave out their numbers, and heartbeats tell how many', () => {
    const using = encoder()
    const [before] = encode([{ type: 'fork', time: 1n, fields: { pid: 7, ppid: 1 } }], using)
    using.encode({ kind: 'lost', lines: 3 })
    const [beat] = encode([{ type: 'heartbeat', time: 2n, fields: {} }], using)
    expect(before).toMatchObject({ seq: 1 })
    expect(beat).toMatchObject({ seq: 5, lost: 3, real: 3n, mono: 1n, boot: 2n })
    expect(parsed(using.stop())).toMatchObject({ type: 'stop', seq: 6, lost: 3 })
  })

  test('a second end of the same process is dropped, a later process with its number is not', () => {
    const exit = (start: bigint): Draft => ({ type: 'exit', time: 9n, fields: { pid: 7, start, code: 0 } })
    expect(encode([exit(1n), exit(1n), exit(2n)])).toMatchObject([
      { seq: 1, start: 1n },
      { seq: 2, start: 2n },
    ])
  })
})

describe('control groups', () => {
  const exit: Draft = { type: 'exit', time: 9n, fields: { pid: 7, code: 0 }, cgroup: 44n }

  test('the path stands for the id', () => {
    expect(encode([structuredClone(exit)], encoder('/system.slice/a b.service'))[0]).toMatchObject({
      cgroup: '/system.slice/a b.service',
    })
  })

  test('an unknown one and one that is too long are left out', () => {
    const unknown = new BpftraceEncoder(
      () => ({ real: 3n, mono: 1n, boot: 2n }),
      () => undefined,
    )
    expect(encode([structuredClone(exit)], unknown)[0]).not.toHaveProperty('cgroup')
    expect(encode([structuredClone(exit)], encoder(`/${'x'.repeat(901)}`))[0]).not.toHaveProperty('cgroup')
  })
})
