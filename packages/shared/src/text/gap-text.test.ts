import { describe, expect, test } from 'vitest'
import { deathEvent } from '../../../../test/events.ts'
import type { GapEvidence } from '../gap.ts'
import { summarySentence, tellDeath } from '../sentence.ts'

const noon = '2026-11-22T12:00:07.500000Z'
const later = '2026-11-22T12:04:10.000000Z'

function gap(changes: Partial<GapEvidence> = {}): GapEvidence {
  const reason = 'the agent was killed or crashed'
  return { at: noon, kind: 'gap', from: noon, to: later, why: 'agent-killed', reason, lostRecords: 0, ...changes }
}

function unseen(...evidence: GapEvidence[]) {
  const exit = { code: null, signal: null, coreDumped: false }
  return deathEvent({ at: later, cause: 'unknown', killer: null, signal: null, signals: [], exit, evidence })
}

function lineOf(evidence: GapEvidence[], nowMs = Date.parse(later), timeZone = 'UTC'): string | undefined {
  const { lines } = tellDeath(unseen(...evidence), { nowMs, timeZone })
  return lines.find(({ label }) => label === 'gap')?.text
}

describe('the sentence of an end that nobody saw', () => {
  test.each<[string, GapEvidence[]]>([
    ['ended while nobody was watching, between 12:00:07 and 12:04:10 UTC (the agent was killed or crashed).', [gap()]],
    [
      'ended while nobody was watching, between 2026-11-21 23:00:00 and 12:04:10 UTC (the host was restarted).',
      [gap({ from: '2026-11-21T23:00:00.000000Z', why: 'host-restarted', reason: 'the host was restarted' })],
    ],
    [
      'ended; how was not seen, because 12 records were lost between 12:00:07 and 12:04:10 UTC.',
      [gap({ why: 'records-lost', lostRecords: 12 })],
    ],
    ['ended; how was not seen, because 1 record was lost at 12:00:07 UTC.', [gap({ to: noon, lostRecords: 1 })]],
    [
      'ended while nobody was watching, between 12:00:07 and 12:04:10 UTC (the agent was killed or crashed).',
      [gap({ from: '2026-11-22T11:00:00.000000Z', lostRecords: 5 }), gap()],
    ],
    ['ended while nobody was watching.', []],
  ])('%s', (expected, evidence) => {
    expect(summarySentence(unseen(...evidence))).toBe(`nginx.service ${expected}`)
  })

  test('leaves aside what is no gap, or one that it cannot read', () => {
    const strange = { ...gap(), from: 'yesterday' } as GapEvidence
    const other = { at: noon, kind: 'missed' } as unknown as GapEvidence
    expect(summarySentence(unseen(strange, other))).toBe('nginx.service ended while nobody was watching.')
  })

  test('cannot be broken by the reason', () => {
    const sentence = summarySentence(unseen(gap({ reason: `\x1b[2J${'x'.repeat(5_000)}` })))
    expect(sentence).not.toContain('\x1b')
    expect(sentence.length).toBeLessThan(400)
  })
})

describe('the line of a story that tells of gaps', () => {
  test('is in the reader’s own time', () => {
    expect(lineOf([gap()], Date.parse(later), 'Asia/Shanghai')).toBe(
      'not watched between 20:00:07 and 20:04:10 (the agent was killed or crashed)',
    )
    expect(lineOf([gap()], Date.parse('2026-11-25T00:00:00Z'))).toBe(
      'not watched between 2026-11-22 12:00:07 and 2026-11-22 12:04:10 (the agent was killed or crashed)',
    )
  })

  test('tells records that were lost from a time without watching, and from one before the first watching', () => {
    const lost = gap({ why: 'records-lost', lostRecords: 2, reason: 'records were lost on their way from the kernel' })
    expect(lineOf([gap({ why: 'just-begun', from: '1970-01-01T00:00:00.000000Z' }), lost])).toBe(
      'not watched before 12:04:10; 2 records were lost between 12:00:07 and 12:04:10 (records were lost on their way from the kernel)',
    )
  })

  test('is left out where there was none', () => {
    expect(lineOf([])).toBeUndefined()
  })
})
