import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { nearestWord, parseSettings } from './settings.ts'

const Schema = z.strictObject({
  natsUrl: z.string().default('x'),
  limits: z.strictObject({ eventsMax: z.int() }).prefault({ eventsMax: 1 }),
  services: z.array(z.strictObject({ name: z.string() })).default([]),
})

const problems = (written: unknown) => {
  const parsed = parseSettings(Schema, written)
  return 'problems' in parsed ? parsed.problems : []
}

describe('settings', () => {
  it('are given back with their defaults', () => {
    expect(parseSettings(Schema, {})).toEqual({ settings: { natsUrl: 'x', limits: { eventsMax: 1 }, services: [] } })
  })

  it('name the nearest key for one that is unknown, at any depth', () => {
    expect(problems({ natsURL: 'x' })).toEqual(['unknown setting natsURL, did you mean natsUrl?'])
    expect(problems({ limits: { eventMax: 1, eventsMax: 1 } })).toEqual([
      'unknown setting limits.eventMax, did you mean eventsMax?',
    ])
    expect(problems({ services: [{ name: 'a', zzz: 1 }] })).toEqual([
      'unknown setting services.0.zzz, expected one of name',
    ])
  })

  it('tell what was expected, and never repeat a text', () => {
    const [problem = ''] = problems({ limits: { eventsMax: 'hunter2' } })
    expect(problem).toMatch(/^limits\.eventsMax: .*expected int|number/)
    expect(problem).not.toContain('hunter2')
  })
})

describe('the nearest word', () => {
  it('is the one with the fewest changes, if they are few', () => {
    expect(nearestWord('natsUr', ['natsUrl', 'probe'])).toBe('natsUrl')
    expect(nearestWord('colour', ['natsUrl', 'probe'])).toBeUndefined()
  })
})
