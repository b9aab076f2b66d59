import type { Gap, HostCoverage } from '@whokilled/shared/http-api'
import { expect, test } from 'vitest'
import { coverageSentences, everyGap, gapsAfter } from './coverage.ts'

const clock = { nowMs: Date.parse('2026-11-22T19:43:50Z'), timeZone: 'UTC' }
const until = '2026-11-22T19:43:50.000Z'

function gap(changes: Partial<Gap> = {}): Gap {
  return {
    host: 'web-3',
    from: '2026-11-22T12:00:03.000Z',
    to: '2026-11-22T12:04:09.000Z',
    reason: 'agent stopped',
    lostRecords: 0,
    ...changes,
  }
}

function watched(
  host: string,
  gaps: Gap[] = [],
  completeUntil: string | null = '2026-11-22T19:43:20.000Z',
): HostCoverage {
  return { host, completeUntil, gaps }
}

test.each<[string, HostCoverage]>([
  ['web-3 was watched all the time', watched('web-3')],
  ['web-3 was not watched 12:00–12:04 (agent stopped)', watched('web-3', [gap()])],
  [
    'web-3 was not watched 12:00:03–12:00:21',
    watched('web-3', [gap({ to: '2026-11-22T12:00:21.000Z', reason: null })]),
  ],
  [
    'web-3 was not watched since 12:00 (agent stopped)',
    watched('web-3', [gap({ to: null })], '2026-11-22T12:00:03.000Z'),
  ],
  [
    'web-3 was not watched 2026-11-20 23:58–2026-11-21 00:04 (agent stopped)',
    watched('web-3', [gap({ from: '2026-11-20T23:58:00.000Z', to: '2026-11-21T00:04:00.000Z' })]),
  ],
  ['web-3 lost 12 records 12:00–12:04 (agent stopped)', watched('web-3', [gap({ lostRecords: 12 })])],
  ['web-3 was not watched 12:00–12:04', watched('web-3', [gap({ reason: 'not watched' })])],
  ['web-3 was never watched', watched('web-3', [], null)],
  ['web-3 has reported nothing after 18:00', watched('web-3', [], '2026-11-22T18:00:00.000Z')],
  [
    'web-3 was not watched 12:00–12:04 (agent stopped), has reported nothing after 18:00',
    watched('web-3', [gap()], '2026-11-22T18:00:00.000Z'),
  ],
  ['web\\x1b[2J was not watched 12:00–12:04 (\\u202e)', watched('web\x1b[2J', [gap({ reason: '\u202e' })])],
])('%s', (expected, coverage) => {
  expect(coverageSentences([coverage], until, clock)).toEqual([expected])
})

test('several gaps of a host are one sentence', () => {
  const gaps = [gap(), gap({ from: '2026-11-22T13:00:00.000Z', to: '2026-11-22T13:10:00.000Z', reason: null })]
  expect(coverageSentences([watched('web-3', gaps)], until, clock)).toEqual([
    'web-3 was not watched 12:00–12:04 (agent stopped), 13:00–13:10',
  ])
})

test('for who asks about nothing else each gap has a line of its own, of a bounded number', () => {
  const suspended = gap({ why: 'host-suspended', reason: 'the host was suspended for 4 min' })
  const dropped = gap({ why: 'events-dropped', lostRecords: 1, reason: 'the spool was full' })
  expect(everyGap([watched('web-3', [suspended, dropped]), watched('web-4')], until, clock)).toEqual([
    'web-3 was not watched 12:00–12:04 (the host was suspended for 4 min)',
    'web-3 lost 1 event 12:00–12:04 (the spool was full)',
    'web-4 was watched all the time',
  ])
  const many = everyGap([watched('web-3', Array(1_200).fill(gap()))], until, clock)
  expect(many).toHaveLength(1_001)
  expect(many.at(-1)).toBe('and 200 more gaps: --host and --since ask about fewer')
})

test('gaps come first, and those who watched all the time share a line', () => {
  const two = [watched('web-1'), watched('web-3', [gap()]), watched('web-2')]
  expect(coverageSentences(two, until, clock)).toEqual([
    'web-3 was not watched 12:00–12:04 (agent stopped)',
    'web-1 and web-2 were watched all the time',
  ])
})

test('a fleet of a thousand hosts fits on a screen', () => {
  const fleet = Array.from({ length: 1_000 }, (_, index) => watched(`web-${index}`, index < 100 ? [gap()] : []))
  const sentences = coverageSentences(fleet, until, clock)
  expect(sentences).toHaveLength(22)
  expect(sentences.slice(-2)).toEqual([
    '80 more hosts were not watched all the time',
    '900 hosts were watched all the time',
  ])
})

test('only gaps after the death say that a later one may be missing', () => {
  const coverage = [
    watched('web-3', [gap(), gap({ to: null, from: '2026-11-22T19:41:00.000Z' })]),
    watched('web-4', [gap()]),
  ]
  expect(gapsAfter(coverage, 'web-3', '2026-11-22T19:40:42.123456Z', clock)).toEqual([
    'web-3 was not watched since 19:41 (agent stopped)',
  ])
  expect(gapsAfter(coverage, 'web-4', '2026-11-22T19:40:42.123456Z', clock)).toEqual([])
})
