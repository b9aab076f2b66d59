import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '')
const sources = files.filter((file) => /^(?:packages|test|demo|bench|tools)\/.*\.(?:ts|tsx|mts|mjs)$/.test(file))

/** What each room may import: itself and these. Programs from outside npm's world are named by their package. */
const rooms: Record<string, readonly string[]> = {
  shared: ['zod'],
  agent: [
    '@whokilled/shared',
    '@nats-io/',
    'classic-level',
    'commander',
    'execa',
    'picocolors',
    'pino',
    'prom-client',
    'zod',
  ],
  collector: [
    '@whokilled/shared',
    '@fastify/',
    '@nats-io/',
    'commander',
    'fastify',
    'node-pg-migrate',
    'pg',
    'pino',
    'prom-client',
    'zod',
  ],
  cli: ['@whokilled/shared', 'cli-table3', 'commander', 'ora', 'picocolors', 'zod'],
}

interface Import {
  readonly file: string
  readonly target: string
}

const imports: Import[] = sources.flatMap((file) => {
  const text = readFileSync(file, 'utf8')
  const found = [
    ...text.matchAll(/^(?:(?:import|export|\}).* from|import) '([^'\n]+)'$/gm),
    ...text.matchAll(/\bimport\('([^'\n]+)'\)/g),
  ]
  return found.map(([, target = '']) => ({ file, target }))
})

const roomOf = (file: string) => /^packages\/(\w+)\/src\//.exec(file)?.[1]

describe('the house', () => {
  it('has walls: a package imports what its room may, and no other package', () => {
    const crossing = imports.filter(({ file, target }) => {
      const room = roomOf(file)
      if (room === undefined || /\.test\.ts$/.test(file)) return false
      if (target.startsWith('.')) return !normalize(join(dirname(file), target)).startsWith(`packages/${room}/`)
      return !target.startsWith('node:') && !rooms[room]?.some((allowed) => target.startsWith(allowed))
    })
    expect(crossing).toEqual([])
  })

  it('has no file that nobody imports', () => {
    const reached = new Set(
      imports.flatMap(({ file, target }) => {
        if (target.startsWith('.')) return [normalize(join(dirname(file), target))]
        const shared = /^@whokilled\/(\w+)\/(.+)$/.exec(target)
        return shared === null ? [] : [`packages/${shared[1]}/src/${shared[2]}.ts`]
      }),
    )
    const programs =
      /\/main\.ts$|\.test\.ts$|^bench\/|^tools\/|^demo\/demo\.ts$|^test\/kernel\/guest\/|^test\/\w+\/(?:record|write-causes|compare)\.ts$/
    expect(sources.filter((file) => !programs.test(file) && !reached.has(file))).toEqual([])
  })

  it('has no names that say nothing', () => {
    expect(files.filter((file) => /(?:^|[/-])(?:utils?|helpers?|common|misc|manager)(?:[./-]|$)/i.test(file))).toEqual(
      [],
    )
  })

  it('imports files with their extension, and no barrels', () => {
    const bare = imports.filter(({ target }) => target.startsWith('.') && !/\.(?:m?[jt]sx?|json)$/.test(target))
    expect(bare).toEqual([])
    expect(sources.filter((file) => /\/index\.ts$/.test(file))).toEqual([])
  })

  it('speaks of itself alone', () => {
    const foreign = /\.\.\/shared\/(?:facts|DESIGN|STYLE)|registry\.npmjs|deb\.debian|\/work\/(?:main|shared|\.library)/
    const speaking = files
      .filter(
        (file) => /\.(?:ts|mjs|md|json|stp|bt|sql|yml|sh|c)$|^\.ci\/run$/.test(file) && file !== 'test/tidy.test.ts',
      )
      .filter((file) => foreign.test(readFileSync(file, 'utf8')))
    expect(speaking).toEqual([])
  })

  it('leaves the program code free of disabled checks', () => {
    const disabled = /@ts-(?:ignore|expect-error|nocheck)|biome-ignore|\b(?:it|describe|test)\.(?:skip|only|todo)\b/
    const found = sources.filter((file) => file !== 'test/tidy.test.ts' && disabled.test(readFileSync(file, 'utf8')))
    expect(found).toEqual([])
  })

  it('reads the environment in main and in the settings alone', () => {
    const readers = sources.filter((file) => {
      const room = roomOf(file)
      return room !== undefined && /process\.env\b/.test(readFileSync(file, 'utf8'))
    })
    const allowed = /\/(?:main|config|settings|terminal|command-line|session)\.ts$|\/command\/|\/doctor\/|\/probe\//
    expect(readers.filter((file) => !allowed.test(file))).toEqual([])
  })
})
