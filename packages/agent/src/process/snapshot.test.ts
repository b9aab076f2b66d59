import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ProbeError } from '../errors.ts'
import { snapshotOf } from './snapshot.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whokilled-snapshot-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const snapshot = { bootId: 'b', hostName: 'web-3', processes: [{ pid: 1, startTicks: 0, comm: 'init', later: 'x' }] }

test.each(['a.wkr', 'a', 'a.b'])('the processes at the start of %s stand beside it', (name) => {
  const file = join(folder, `${name.replace(/\.wkr$/, '')}.procs.json`)
  writeFileSync(file, JSON.stringify(snapshot))
  expect(snapshotOf(join(folder, name))).toEqual(snapshot)
})

test('without that file nothing is known of them', () => {
  expect(snapshotOf(join(folder, 'a.wkr'))).toEqual({ bootId: 'recorded', hostName: 'recorded', processes: [] })
})

test.each([
  '',
  '[]',
  '{"bootId":"b","hostName":"h","processes":[{"pid":0,"startTicks":0,"comm":"x"}]}',
  '{"bootId":"b","hostName":"h","processes":[{"pid":1,"startTicks":0,"comm":"x","args":[1]}]}',
  '{"bootId":"b","hostName":"h","processes":[{"pid":1,"startTicks":0,"comm":"x","cgroup":7}]}',
])('a file that holds %j instead is an error with a remedy', (content) => {
  writeFileSync(join(folder, 'a.procs.json'), content)
  const read = () => snapshotOf(join(folder, 'a.wkr'))
  expect(read).toThrow(ProbeError)
  expect(read).toThrow(
    expect.objectContaining({ code: 'snapshot-unreadable', hint: expect.stringContaining('Remove') }),
  )
})
