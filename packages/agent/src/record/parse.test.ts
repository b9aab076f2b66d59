import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textOf } from './bytes.ts'
import { encodeRecord } from './encode.ts'
import { type FieldKind, recordTypes } from './fields.ts'
import { lineBytesMax, parseRecord } from './parse.ts'
import type { KernelRecord } from './record.ts'

const byteString = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const hostile = fc.constantFrom('\t#1\n', 'a\nexit\t2\t3\tpid=1\tcode=9\t#2', '"', '\\x41', '\\', '\xff\xc3', ' ')
const values: Record<FieldKind, fc.Arbitrary<string | number | bigint>> = {
  int: fc.integer({ min: -(10 ** 9), max: 10 ** 14 }),
  ns: fc.bigInt({ min: 0n, max: 10n ** 18n }),
  bytes: fc.oneof(byteString, hostile),
}

/** Any record of any known type, with every subset of its optional fields. */
const anyRecord: fc.Arbitrary<KernelRecord> = fc.constantFrom(...recordTypes.keys()).chain((type) => {
  const { fields, required } = recordTypes.get(type) ?? { fields: {}, required: [] }
  const model = Object.fromEntries(Object.entries(fields).map(([key, kind]) => [key, values[kind]]))
  return fc
    .tuple(
      fc.integer({ min: 1, max: 10 ** 12 }),
      fc.bigInt({ min: 0n, max: 10n ** 18n }),
      fc.record(model, { requiredKeys: [...required] }),
    )
    .map(([seq, time, known]) => ({ type, seq, time, ...known }) as unknown as KernelRecord)
})

describe('a line of the protocol', () => {
  it('gives back every record that was written to it', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const line = encodeRecord(record)
        fc.pre(line.length <= lineBytesMax)
        expect(parseRecord(line)).toEqual({ record })
      }),
    )
  })

  it('is one line with printable fields, whatever the names in it', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(encodeRecord(record)).toMatch(/^[\x21-\x7e\t]+$/)
      }),
    )
  })

  it('keeps fields and types that are not known', () => {
    expect(parseRecord('exit\t7\t9\tpid=1\tcode=0\tnew=a\\x20b\t#7')).toEqual({
      record: { type: 'exit', seq: 7, time: 9n, pid: 1, code: 0, extra: { new: 'a b' } },
    })
    expect(parseRecord('connect\t8\t9\tdport=22\t#8')).toEqual({
      record: { type: 'other', name: 'connect', seq: 8, time: 9n, extra: { dport: '22' } },
    })
  })

  it("is rejected when two torn lines run into each other, wherever behind the first one's number", () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, fc.nat(), fc.nat(), (first, second, cutFirst, cutSecond) => {
        fc.pre(first.seq !== second.seq)
        const head = encodeRecord(first)
        const tail = encodeRecord(second)
        const headerBytes = head.indexOf('\t', head.indexOf('\t') + 1) + 1
        const cut = headerBytes + (cutFirst % (head.length - headerBytes))
        const torn = head.slice(0, cut) + tail.slice(cutSecond % tail.length)
        fc.pre(torn !== head)
        expect(parseRecord(torn)).toHaveProperty('rejected')
      }),
      { numRuns: 2_000 },
    )
  })

  it('is rejected with its reason', () => {
    const reasons = {
      'exit\t5\t9\tpid=1\tcode=9': 'torn',
      'exit\t5\t9\tpid=1\tcode=9\t#6': 'torn',
      'exit\t0\t9\tpid=1\tcode=9\t#0': 'bad-header',
      'EXIT\t5\t9\tpid=1\tcode=9\t#5': 'bad-header',
      'exit\t5\tsoon\tpid=1\tcode=9\t#5': 'bad-header',
      'exit\t5\t9\tpid=1\tcode\t#5': 'bad-field',
      'exit\t5\t9\tpid=01\tcode=9\t#5': 'bad-value',
      'exit\t5\t9\tpid=1\tcode=9\tcomm=a\\x41\t#5': 'bad-value',
      'exit\t5\t9\tpid=1\tcode=9\tcomm=a b\t#5': 'bad-value',
      'exit\t5\t9\tpid=1\tpid=2\tcode=9\t#5': 'duplicate-field',
      'exit\t5\t9\tpid=1\t#5': 'missing-field',
      [`exit\t5\t9\tpid=1\tcode=9\tcomm=${'a'.repeat(lineBytesMax)}\t#5`]: 'too-long',
    }
    for (const [line, rejected] of Object.entries(reasons)) expect(parseRecord(line), line).toEqual({ rejected })
  })

  it('never makes the parser throw', () => {
    const bytes = fc.uint8Array({ maxLength: 6_000 }).map((array) => Buffer.from(array).toString('latin1'))
    const pieces = fc.array(
      fc.constantFrom('exec', 'constructor', '\t', '=', '__proto__', 'pid', '1', '#1', '\\x0a', '-'),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          pieces.map((list) => list.join('')),
        ),
        (line) => {
          const parsed = parseRecord(line)
          expect('record' in parsed || 'rejected' in parsed).toBe(true)
        },
      ),
    )
  })

  it('cannot reach a prototype through the name of a field', () => {
    const parsed = parseRecord('exit\t5\t9\tpid=1\tcode=9\tconstructor=x\t#5')
    expect(parsed).toMatchObject({ record: { extra: { constructor: 'x' } } })
  })
})

describe('bytes as text', () => {
  it('is UTF-8 where that is what they are, and \\xHH where not', () => {
    expect(textOf(Buffer.from('grün 🦉').toString('latin1'))).toBe('grün 🦉')
    expect(textOf('a\xffb\xc3')).toBe('a\\xffb\\xc3')
    expect(textOf('\xed\xa0\x80')).toBe('\\xed\\xa0\\x80')
  })

  it('of valid UTF-8 is that text again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = Buffer.from(text, 'utf8').toString('latin1')
        expect(textOf(bytes)).toBe(Buffer.from(text, 'utf8').toString('utf8'))
      }),
    )
  })
})
