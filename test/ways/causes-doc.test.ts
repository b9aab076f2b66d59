import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { causesDoc } from './causes-doc.ts'

test('docs/causes.md says what the recordings say', async () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/causes.md'), 'utf8')
  expect(written, 'Write it again: test/ways/write-causes.ts').toBe(await causesDoc())
})
