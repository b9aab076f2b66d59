import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRecord } from '@whokilled/agent/record/parse'
import type { KernelRecord } from '@whokilled/agent/record/record'
import { beforeAll, expect, test } from 'vitest'
import { differencesBetween } from '../scenarios/compare.ts'
import { type Facts, readFacts } from '../scenarios/facts.ts'
import { type Story, storiesOf } from '../scenarios/story.ts'
import { runInGuest } from './lab/guest.ts'
import { bundledRecorder } from './lab/recorder.ts'

/** SystemTap and bpftrace watch the same processes end, on one kernel, at the same time. */
let facts: Facts
let bySystemTap: KernelRecord[]
let byBpftrace: KernelRecord[]

beforeAll(async () => {
  await using recorder = await bundledRecorder()
  await using run = await runInGuest({
    script: await readFile(join(import.meta.dirname, 'guest/conformance.sh'), 'utf8'),
    node: true,
    bpftrace: true,
    files: {
      '/lab/recorder': recorder.folder,
      '/lab/ways.sh': join(import.meta.dirname, '../scenarios/ways.sh'),
      // Where a program in /lab/recorder looks for it, as the installed agent does.
      '/probes/whokilled.bt': join(import.meta.dirname, '../../packages/agent/probes/whokilled.bt'),
    },
  })
  const words = `${await run.read('systemtap.log')}${await run.read('bpftrace.log')}`
  if (run.status !== 0) throw new Error(`Expected both probes to end in order, they said:\n${words}`)
  facts = readFacts(String(await run.read('facts')))
  bySystemTap = recordsIn(await run.read('systemtap.wkr'))
  byBpftrace = recordsIn(await run.read('bpftrace.wkr'))
})

test('both probes ran every scenario and saw it', () => {
  for (const records of [bySystemTap, byBpftrace]) {
    const unseen = storiesOf(records, facts).filter(({ records }) => records.length === 0)
    expect(unseen.map(({ name }) => name)).toEqual([])
  }
})

test('what both can tell, they tell the same', () => {
  expect(differencesBetween(storiesOf(bySystemTap, facts), storiesOf(byBpftrace, facts))).toEqual([])
})

test('every process that ended did so for both, with the same status and the same start', () => {
  const [ours, theirs] = [endsIn(bySystemTap), endsIn(byBpftrace)]
  const pids = [...facts.values()].flatMap(({ victim, sender }) => [victim, sender]).filter((pid) => ours.has(pid))
  expect(pids.length).toBeGreaterThan(40)
  for (const pid of pids) expect(theirs.get(pid)).toBe(ours.get(pid))
})

test('a difference would be found', () => {
  const stories = storiesOf(bySystemTap, facts)
  const changed: Story[] = stories.map((story) => ({
    ...story,
    records: story.records.map(({ type, fields }) => ({
      type,
      fields: 'sig' in fields ? { ...fields, sig: 1 } : fields,
    })),
  }))
  expect(differencesBetween(stories, changed).length).toBeGreaterThan(20)
})

function endsIn(records: readonly KernelRecord[]): Map<number, string> {
  return new Map(
    records.flatMap((record) => (record.type === 'exit' ? [[record.pid, `${record.start} ${record.code}`]] : [])),
  )
}

function recordsIn(recording: Buffer): KernelRecord[] {
  const lines = recording.toString('latin1').split('\n').slice(0, -1)
  return lines.map((line) => {
    const parsed = parseRecord(line)
    if ('rejected' in parsed) throw new Error(`Expected records alone, found one ${parsed.rejected}: ${line}`)
    return parsed.record
  })
}
