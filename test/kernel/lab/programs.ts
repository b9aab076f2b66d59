import { createHash } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { keepNewest } from '@whokilled/agent/probe/stap/keep-newest'
import { execa } from 'execa'
import { labCacheFolder } from './cache-folder.ts'

const sources = join(import.meta.dirname, '../../programs')

/** Compiled programs kept, of all versions together. */
const programsMax = 200

/** The little C programs of test/programs, linked statically: name → path. Compiled again only after a change. */
export async function compiledPrograms(): Promise<Map<string, string>> {
  const names = (await readdir(sources)).filter((name) => name.endsWith('.c'))
  const compiled = await Promise.all(
    names.map(async (name): Promise<[string, string]> => [parse(name).name, await compile(join(sources, name))]),
  )
  return new Map(compiled)
}

async function compile(source: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 16)
  const path = join(labCacheFolder, 'programs', `${parse(source).name}-${hash}`)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (exists) return path
  await mkdir(join(labCacheFolder, 'programs'), { recursive: true })
  const part = `${path}.${process.pid}`
  await execa('gcc', ['-std=gnu17', '-Wall', '-Wextra', '-Werror', '-O1', '-static', '-pthread', '-o', part, source])
  await rename(part, path)
  await keepNewest(join(labCacheFolder, 'programs'), programsMax)
  return path
}
