import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const shown =
  /^ {4}\$ node packages\/agent\/dist\/main\.js (?<args>watch --probe replay:\S+)\n(?<output>(?: {4}.*\n)+)/gm

/** What a recording is shown to print is what it prints. */
test.each(['README.md', 'README.zh-CN.md'])('%s', async (page) => {
  const text = await readFile(join(root, page), 'utf8')
  const examples = [...text.matchAll(shown)]
  expect(examples.length).toBeGreaterThan(1)
  for (const { groups = {} } of examples) {
    const { args = '', output } = groups
    const agent = ['--conditions=source', '--import', 'tsx', 'packages/agent/src/main.ts', ...args.split(' ')]
    const { stdout } = await execa('node', agent, { cwd: root, env: { TZ: 'UTC' } })
    expect(stdout.replaceAll(/^/gm, '    ')).toBe(output?.trimEnd())
  }
})
