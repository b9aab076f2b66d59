import { access, mkdir, mkdtemp, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Probe } from '@whokilled/agent/probe/probe'
import { parseRecord } from '@whokilled/agent/record/parse'
import type { KernelRecord } from '@whokilled/agent/record/record'
import { execa } from 'execa'
import { compiledPrograms } from '../../../test/kernel/lab/programs.ts'
import { type Facts, readFacts } from '../../../test/scenarios/facts.ts'
import { compile32BitSender } from '../../../test/scenarios/sender-32bit.ts'

/** What a probe told while test/scenarios/ways.sh ran on this machine. */
export interface ScenarioRun {
  readonly lines: readonly string[]
  readonly records: readonly KernelRecord[]
  readonly rejected: readonly string[]
  readonly facts: Facts
}

const script = join(import.meta.dirname, '../../../test/scenarios/ways.sh')
const unified = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']

/** Runs the scenarios under a probe, here and now. */
export async function runScenarios(probe: Probe): Promise<ScenarioRun> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-scenarios-'))
  try {
    for (const [name, path] of await compiledPrograms()) await symlink(path, join(folder, name))
    await compile32BitSender(folder)
    const facts = join(folder, 'facts')
    await writeFile(facts, '')
    await using small = await smallGroup()
    const env = {
      FACTS: facts,
      CGROUP: await unifiedFolder(),
      PATH: `${folder}:${process.env.PATH}`,
      SMALL: small.folder ?? '',
    }
    const lines = await following(probe, async () => {
      await execa('sh', [script], { env, stdin: 'ignore', timeout: 60_000, all: true })
    })
    return { lines, facts: readFacts(await readFile(facts, 'utf8')), ...parseAll(lines) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Parses all lines, in the order in which they came. */
export function parseAll(lines: readonly string[]): Pick<ScenarioRun, 'records' | 'rejected'> {
  const parsed = lines.map(parseRecord)
  return {
    records: parsed.flatMap((one) => ('record' in one ? [one.record] : [])),
    rejected: parsed.flatMap((one, at) => ('rejected' in one ? [`${one.rejected}: ${lines[at]}`] : [])),
  }
}

/** Starts a probe, does something, stops the probe; returns all lines. */
async function following(probe: Probe, act: () => Promise<void>): Promise<string[]> {
  const run = await probe.start()
  const lines: string[] = []
  const reading = (async () => {
    for await (const line of run.lines()) lines.push(line)
  })()
  try {
    await act()
  } finally {
    await run.stop()
  }
  await reading
  const { error } = await run.ended
  if (error !== null) throw error
  return lines
}

/** Where a limit of memory can be set: in the unified hierarchy, or in one of version 1. */
const memoryLimits = [
  ...unified.map((folder) => ({ folder, limit: 'memory.max' })),
  { folder: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
]

/** A group with 20 MB, removed in the end; without a folder where there can be none. */
async function smallGroup(): Promise<{ folder?: string } & AsyncDisposable> {
  for (const { folder, limit } of memoryLimits) {
    const group = join(folder, `whokilled-small-${process.pid}`)
    const remove = async () => void (await rmdir(group).catch(() => undefined))
    try {
      // Where no hierarchy is mounted this is no group, and the file is not there: it must not be made.
      await access(join(folder, 'cgroup.procs'))
      await mkdir(group)
      await writeFile(join(group, limit), '20000000', { flag: 'r+' })
      return { folder: group, [Symbol.asyncDispose]: remove }
    } catch {
      await remove()
    }
  }
  return { [Symbol.asyncDispose]: async () => undefined }
}

async function unifiedFolder(): Promise<string> {
  for (const folder of unified) {
    if (
      await readFile(`${folder}/cgroup.procs`).then(
        () => true,
        () => false,
      )
    )
      return folder
  }
  throw new Error(`Expected the unified control groups at ${unified.join(' or ')}, they are not mounted.`)
}
