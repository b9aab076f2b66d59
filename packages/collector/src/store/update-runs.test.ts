import { expect, test } from 'vitest'
import { coverageEvent, deathEvent } from '../../../../test/events.ts'
import { runRows } from './update-runs.ts'

test('the numbers and times of each run come together, dead letters too', () => {
  const agent = (runId: string, seq: number) => ({ version: '0', probe: 'replay', runId, seq })
  const rows = runRows(
    [
      deathEvent({ agent: agent('b', 2), at: '2026-11-22T19:40:43.000000Z' }),
      coverageEvent({ agent: agent('b', 1), from: '2026-11-22T19:40:00.000Z', at: '2026-11-22T19:40:42.000000Z' }),
      coverageEvent({ agent: agent('a', 9), state: 'gap' }),
    ],
    [
      {
        reason: 'schema',
        detail: '',
        subject: '',
        streamSeq: 1,
        payload: new Uint8Array(),
        eventCount: 1,
        stamps: [{ hostName: 'web-3', hostId: 'host-web-3', runId: 'b', seq: 3 }],
      },
    ],
  )
  expect(rows).toEqual([
    {
      host_name: 'web-3',
      host_id: 'host-web-3',
      run_id: 'a',
      first_at: '2026-11-22T19:40:42.123456Z',
      last_at: '2026-11-22T19:40:42.123456Z',
      seqs: '{[9,9]}',
      watched: '{}',
    },
    {
      host_name: 'web-3',
      host_id: 'host-web-3',
      run_id: 'b',
      first_at: '2026-11-22T19:40:42.000000Z',
      last_at: '2026-11-22T19:40:43.000000Z',
      seqs: '{[1,3]}',
      watched: '{["2026-11-22T19:40:00.000Z","2026-11-22T19:40:42.000000Z"]}',
    },
  ])
})

test('a time that ends before it begins (the clock was set back) is a range all the same', () => {
  const [row] = runRows([coverageEvent({ from: '2026-11-22T19:40:50.000Z', to: '2026-11-22T19:40:40.000Z' })], [])
  expect(row?.watched).toBe('{["2026-11-22T19:40:40.000Z","2026-11-22T19:40:50.000Z"]}')
})
