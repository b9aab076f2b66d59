import { expect, test } from 'vitest'
import { LineSplitter } from './line-splitter.ts'

test('lines come out whole however the stream was cut', () => {
  const text = 'first\nsecond \xff\xc3\n\nlast\n'
  for (let at = 0; at <= text.length; at++) {
    const splitter = new LineSplitter()
    expect([...splitter.push(text.slice(0, at)), ...splitter.push(text.slice(at))]).toEqual([
      'first',
      'second \xff\xc3',
      '',
      'last',
    ])
    expect(splitter.end()).toBeUndefined()
  }
})

test('what has no end after 8 KiB is passed on, and the next line is whole again', () => {
  const splitter = new LineSplitter()
  expect(splitter.push('x'.repeat(8_193))).toEqual(['x'.repeat(8_193)])
  expect(splitter.push('tail\nnext\n')).toEqual(['tail', 'next'])
})

test('a last line without LF is passed on at the end', () => {
  const splitter = new LineSplitter()
  expect(splitter.push('whole\nto')).toEqual(['whole'])
  expect(splitter.push('rn')).toEqual([])
  expect(splitter.end()).toBe('torn')
})
