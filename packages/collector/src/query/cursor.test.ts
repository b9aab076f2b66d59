import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from './cursor.ts'

test('a cursor comes back as it was', () => {
  const cursor = { at: '2026-11-22T19:40:42.123456Z', id: '01a204c6-6b0b-78e5-8255-09a0e98658ea' }
  expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor)
})

test('a text that is no cursor is none, whatever it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodeCursor(text)).toBeUndefined()
    }),
  )
  expect(decodeCursor(Buffer.from('["yesterday","x"]').toString('base64url'))).toBeUndefined()
})
