import { expect, test } from 'vitest'
import { tableText } from './table.ts'

const layout = { width: 40, flexible: 1, widthMax: 8, indent: 2 }

test('without a width no line is broken and no blank trails', () => {
  const text = 'word '.repeat(60).trim()
  expect(
    tableText(
      [
        ['a', text],
        ['long', 'x'],
      ],
      { ...layout, width: undefined },
    ),
  ).toBe(`  a     ${text}\n  long  x`)
})

test('the flexible column is broken between words to the width', () => {
  expect(tableText([['by', 'one two three four five six seven eight']], layout)).toBe(
    '  by  one two three four five six seven\n      eight',
  )
})

test('a word that is longer than the column is broken too, and nothing of it is lost', () => {
  const word = 'abcdefghij'.repeat(10)
  const printed = tableText([['by', word]], layout)
  expect(printed.replace(/\s|by/g, '')).toBe(word)
  for (const line of printed.split('\n')) expect(line.length).toBeLessThanOrEqual(40)
})

test('characters that take two columns count as two', () => {
  const printed = tableText([['数据库', '数据库'.repeat(12)]], layout)
  expect(printed.replace(/\s/g, '')).toBe(`${'数据库'}${'数据库'.repeat(12)}`)
  for (const line of printed.split('\n'))
    expect(Array.from(line.replace(/[ -~]/g, '')).length * 2).toBeLessThanOrEqual(40)
})

test('a long text of another column ends in an ellipsis', () => {
  expect(tableText([['a-very-long-name', 'x']], layout)).toBe('  a-very-…  x')
})

test('colours do not count as width', () => {
  expect(tableText([['\x1b[2mby\x1b[22m', 'one two three four five six seven eight']], layout)).toBe(
    '  \x1b[2mby\x1b[22m  one two three four five six seven\n      eight',
  )
})
