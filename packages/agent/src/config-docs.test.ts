import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Settings } from './config.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/agent.md'), 'utf8')

/** Name and default of each setting, as the table in docs/agent.md has them. */
const documented = Object.fromEntries(
  Array.from(page.matchAll(/^\| `([\w.]+)` \| (.+?) \| .+ \|$/gm), ([, name, value]) => [name, value]),
)

/** The same, as the schema has them. */
function settingsOf(schema: z.ZodObject, folder = ''): [string, string][] {
  return Object.entries(schema.shape).flatMap(([key, setting]) => {
    const inner = innermost(setting as z.ZodType)
    const below = inner instanceof z.ZodArray ? innermost(inner.element as z.ZodType) : inner
    const own: [string, string][] = [[`${folder}${key}`, defaultOf(setting as z.ZodType)]]
    if (!(below instanceof z.ZodObject)) return own
    return [...(inner === below ? [] : own), ...settingsOf(below, `${folder}${key}.`)]
  })
}

function innermost(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodNullable
  ) {
    inner = inner.unwrap() as z.ZodType
  }
  return inner
}

function defaultOf(setting: z.ZodType): string {
  const parsed = setting.safeParse(undefined)
  if (!parsed.success) return 'required'
  if (parsed.data === undefined || parsed.data === null) return 'none'
  return `\`${typeof parsed.data === 'string' ? parsed.data : JSON.stringify(parsed.data)}\``
}

describe('docs/agent.md', () => {
  it('names every setting with its default, and no others', () => {
    expect(documented).toEqual(Object.fromEntries(settingsOf(Settings)))
  })

  it('knows settings within settings', () => {
    expect(Object.keys(documented)).toEqual(expect.arrayContaining(['natsUrl', 'publish.signals', 'services.args']))
  })

  it('names every metric', () => {
    const source = readFileSync(join(import.meta.dirname, 'metrics.ts'), 'utf8')
    const names = Array.from(
      source.matchAll(/(?:(?:counter|gauge|byReason)\(\s*|whokilled_agent_)'?(\w+)'/g),
      ([, name]) => name,
    )
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => !page.includes(`\`${name}`))).toEqual([])
  })
})
