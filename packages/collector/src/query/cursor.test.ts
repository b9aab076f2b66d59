import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor, eventId, letterDigest } from './cursor.ts'

const at = '2026-11-22T19:40:42.123456Z'
const event = { at, id: '01a204c6-6b0b-78e5-8255-09a0e98658ea' }
const letter = { at, id: '8f8908ee55aa31a684c62cf7f51df9f39e07017458e602493848c65118b5549a' }

test('a cursor comes back as it was, and is none of another list', () => {
  expect(decodeCursor(encodeCursor(event), eventId)).toEqual(event)
  expect(decodeCursor(encodeCursor(letter), letterDigest)).toEqual(letter)
  expect(decodeCursor(encodeCursor(event), letterDigest)).toBeUndefined()
  expect(decodeCursor(encodeCursor(letter), eventId)).toBeUndefined()
})

test('a text that is no cursor is none, whatever it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodeCursor(text, eventId)).toBeUndefined()
    }),
  )
  expect(decodeCursor(Buffer.from('["yesterday","x"]').toString('base64url'), eventId)).toBeUndefined()
})
