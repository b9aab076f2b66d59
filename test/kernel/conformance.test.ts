import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseRecord } from '@whokilled/agent/record/parse'
import type { ExitRecord, KernelRecord, OpenRecord } from '@whokilled/agent/record/record'
import { beforeAll, expect, test } from 'vitest'
import { differencesBetween } from '../scenarios/compare.ts'
import { type Facts, readFacts } from '../scenarios/facts.ts'
import { compile32BitSender } from '../scenarios/sender-32bit.ts'
import { type Story, storiesOf } from '../scenarios/story.ts'
import { runInGuest } from './lab/guest.ts'
import { bundledRecorder } from './lab/recorder.ts'

/** SystemTap and bpftrace watch the same processes end, on one kernel, at the same time. */
let facts: Facts
let bySystemTap: KernelRecord[]
let byBpftrace: KernelRecord[]

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-conformance-'))
  await using recorder = await bundledRecorder()
  await using run = await runInGuest({
    script: await readFile(join(import.meta.dirname, 'guest/conformance.sh'), 'utf8'),
    node: true,
    bpftrace: true,
    files: {
      '/lab/recorder': recorder.folder,
      '/lab/ways.sh': join(import.meta.dirname, '../scenarios/ways.sh'),
      '/lab/programs/sender-32bit': await compile32BitSender(folder),
      // Where a program in /lab/recorder looks for it, as the installed agent does.
      '/probes/whokilled.bt': join(import.meta.dirname, '../../packages/agent/probes/whokilled.bt'),
    },
  })
  await rm(folder, { recursive: true })
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

test('every program that was executed has the same path for both', () => {
  const pathsIn = (records: readonly KernelRecord[]) =>
    new Map(records.flatMap((one) => (one.type === 'exec' ? [[`${one.pid} ${one.start} ${one.argv}`, one.exe]] : [])))
  const [ours, theirs] = [pathsIn(bySystemTap), pathsIn(byBpftrace)]
  const common = [...ours.keys()].filter((exec) => theirs.has(exec))
  expect(common.length).toBeGreaterThan(60)
  for (const exec of common) expect(`${exec} ${theirs.get(exec)}`).toBe(`${exec} ${ours.get(exec)}`)
})

test('a process that seccomp ended has the same mode for both', () => {
  for (const [name, mode] of [
    ['seccomp-filter', 2],
    ['seccomp-strict', 1],
    ['by-kill', 0],
  ] as const) {
    expect(exitOf(bySystemTap, facts.get(name)?.victim)).toMatchObject({ seccomp: mode })
    expect(exitOf(byBpftrace, facts.get(name)?.victim)).toMatchObject({ seccomp: mode })
  }
})

test('both tell the same of every pidfile that was opened', () => {
  for (const [name, count] of [
    ['pidfile-read', 1],
    ['pidfile-read-elsewhere', 1],
    ['pidfile-written', 1],
  ] as const) {
    const ours = opensBy(bySystemTap, facts.get(name)?.sender)
    const theirs = opensBy(byBpftrace, facts.get(name)?.sender)
    expect(theirs.map(({ path, write }) => ({ path, write }))).toEqual(ours.map(({ path, write }) => ({ path, write })))
    expect(theirs).toHaveLength(count)
    for (const [at, { mtime, text }] of theirs.entries()) {
      // Nobody touched the file while bpftrace's agent looked at it, unless it was to be written.
      if (name !== 'pidfile-written') expect([mtime, text]).not.toContain(undefined)
      if (mtime !== undefined) expect(mtime).toBe(ours[at]?.mtime)
      if (text !== undefined) expect(text).toBe(ours[at]?.text)
    }
  }
})

test("both tell the same lines of the kernel's log of an OOM kill", () => {
  const linesOf = (records: readonly KernelRecord[]) =>
    records.flatMap((one) => (one.type === 'log' ? [`${one.pid} ${one.tid} ${one.start} ${one.text}`] : []))
  expect(linesOf(byBpftrace)).toEqual(linesOf(bySystemTap))
  expect(linesOf(byBpftrace).length).toBeGreaterThan(10)
  const { victim } = facts.get('oom') ?? {}
  for (const records of [bySystemTap, byBpftrace]) {
    expect(records.filter((one) => one.type === 'oom').map(({ tpid }) => tpid)).toEqual([victim])
  }
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

function exitOf(records: readonly KernelRecord[], pid: number | undefined): ExitRecord | undefined {
  return records.find((one): one is ExitRecord => one.type === 'exit' && one.pid === pid)
}

function opensBy(records: readonly KernelRecord[], pid: number | undefined): OpenRecord[] {
  return records.filter((one): one is OpenRecord => one.type === 'open' && one.pid === pid)
}

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
