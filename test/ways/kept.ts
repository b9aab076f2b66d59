import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WayFacts } from './facts.ts'
import type { ProbeName } from './judge.ts'
import type { Recording } from './tell.ts'

const folder = join(import.meta.dirname, '../recordings/ways')

/** A way's recording as the repository keeps it, with who was who. */
export interface Kept extends Recording {
  readonly facts: WayFacts
}

/** The ways that a probe's recordings are kept of. */
export function keptNames(probe: ProbeName): string[] {
  const names = existsSync(join(folder, probe)) ? readdirSync(join(folder, probe)) : []
  return names.filter((name) => name.endsWith('.wkr')).map((name) => name.slice(0, -4))
}

export function readKept(probe: ProbeName, way: string): Kept | undefined {
  const path = join(folder, probe, way)
  if (!existsSync(`${path}.wkr`)) return undefined
  const { roles, begin, end, ...snapshot } = JSON.parse(readFileSync(`${path}.procs.json`, 'utf8'))
  return {
    lines: readFileSync(`${path}.wkr`, 'latin1').split('\n').slice(0, -1),
    snapshot,
    facts: { begin, end, roles: new Map(Object.entries<number>(roles)) },
  }
}

/** Writes a recording that `--probe replay:` takes, too; who was who stands beside the processes. */
export async function keep(probe: ProbeName, way: string, { lines, snapshot, facts }: Kept): Promise<void> {
  const path = join(folder, probe, way)
  await mkdir(join(folder, probe), { recursive: true })
  const { processes, ...host } = snapshot
  const head = JSON.stringify({ ...host, ...facts, roles: Object.fromEntries(facts.roles) }).slice(0, -1)
  const list = processes.map((process) => ` ${JSON.stringify(process)}`).join(',\n')
  await writeFile(`${path}.wkr`, `${lines.join('\n')}\n`, 'latin1')
  await writeFile(`${path}.procs.json`, `${head},"processes":[\n${list}\n]}\n`)
}

/** Removes recordings of ways that are no more. */
export async function forgetOthers(probe: ProbeName, ways: ReadonlySet<string>): Promise<void> {
  for (const name of keptNames(probe)) {
    if (ways.has(name)) continue
    for (const ending of ['wkr', 'procs.json']) await rm(join(folder, probe, `${name}.${ending}`))
  }
}
