import { expect, test } from 'vitest'
import { readPrinted } from './facts.ts'
import { PathLines, type PathPart, partBytes } from './path-lines.ts'

const whole = { isWhole: true, isDeleted: false }

/** As the probe prints them: the last name first, 24 bytes at a time, with what lies behind in memory. */
function parts(...names: string[]): PathPart[] {
  return names.reverse().flatMap((name) =>
    Array.from({ length: Math.ceil(name.length / partBytes) }, (_, part) => ({
      length: name.length,
      at: part * partBytes,
      bytes: name
        .slice(part * partBytes)
        .padEnd(partBytes, '\0x')
        .slice(0, partBytes),
    })),
  )
}

test('names are put together from the last one, long ones from their parts', () => {
  const lines = new PathLines()
  const long = 'a'.repeat(255)
  const all = parts('run', long, 'x'.repeat(24), 'app.pid')
  const none = { length: 0, at: 0, bytes: 'rest of what was there..' }
  lines.take(7, all.slice(0, 4))
  lines.take(8, all.slice(4, 8))
  lines.take(9, [...all.slice(8), none])
  expect(lines.pathOf(10, { ...whole, lines: 3 })).toBe(`/run/${long}/${'x'.repeat(24)}/app.pid`)
})

test('a path with a line lost, or longer than the probe walks, is not known', () => {
  const lines = new PathLines()
  lines.take(7, parts('run'))
  expect(lines.pathOf(9, { ...whole, lines: 2 })).toBeUndefined()
  lines.take(10, parts('run'))
  expect(lines.pathOf(11, { lines: 1, isWhole: false, isDeleted: false })).toBeUndefined()
})

test('lines of a fact that was lost do not get into the next path', () => {
  const lines = new PathLines()
  lines.take(3, parts('lost'))
  lines.take(5, parts('usr', 'bin'))
  expect(lines.pathOf(6, { ...whole, lines: 1 })).toBe('/usr/bin')
  expect(lines.pathOf(7, { ...whole, lines: 1 })).toBeUndefined()
})

test('a deleted file is told as the kernel tells it', () => {
  const lines = new PathLines()
  lines.take(1, parts('memfd:x'))
  expect(lines.pathOf(2, { lines: 1, isWhole: true, isDeleted: true })).toBe('/memfd:x (deleted)')
})

test('the names are read from the words of a line', () => {
  const line = 'D 0 3 400 6873616200 0 0 300 6e6962 0 0 300 727375 0 0 0 200240040 0 ffff8886276e5340'
  const read = readPrinted(line.replace('6873616200', '68736162'))
  const lines = new PathLines()
  if (read?.kind === 'path') lines.take(read.n, read.parts)
  expect(lines.pathOf(4, { ...whole, lines: 1 })).toBe('/usr/bin/bash')
})
