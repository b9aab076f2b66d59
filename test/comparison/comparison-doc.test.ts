import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ways } from '../ways/ways.ts'
import { comparisonPath } from './comparison-doc.ts'

/** The lines of docs/comparison.md that stand for ways: group → titles. */
const written = new Map(
  readFileSync(comparisonPath, 'utf8')
    .split(/^## /m)
    .map((section): [string, string[]] => [
      section.slice(0, section.indexOf('\n')),
      Array.from(section.matchAll(/^\| (.+?)(?: \(not compared: [^|]*\))? \|/gm), ([, title = '']) => title).slice(2),
    ]),
)

test.each([...ways])(
  'docs/comparison.md has each way of «%s», and no other (test/comparison/compare.ts)',
  (group, list) => {
    expect(written.get(group) ?? []).toEqual(list.map(({ title }) => title))
  },
)
