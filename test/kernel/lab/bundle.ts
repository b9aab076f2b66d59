import { cp, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

/**
 * Bundles a TypeScript program with all it imports into one file that node runs. The one native part, LevelDB's
 * binding, looks for its binary beside the file.
 */
export async function bundleProgram(entry: string, outFolder: string, name: string): Promise<void> {
  await mkdir(outFolder, { recursive: true })
  await build({
    entryPoints: [entry],
    outfile: join(outFolder, `${name}.mjs`),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['source'],
    logLevel: 'error',
    // CommonJS packages inside an ES module still want these.
    banner: {
      js: [
        "import { createRequire as whokilledCreateRequire } from 'node:module'",
        'const require = whokilledCreateRequire(import.meta.url)',
        'const __filename = import.meta.filename, __dirname = import.meta.dirname',
      ].join('\n'),
    },
  })
  const levelFolder = dirname(createRequire(import.meta.url).resolve('classic-level/package.json'))
  await cp(join(levelFolder, 'prebuilds/linux-x64'), join(outFolder, 'prebuilds/linux-x64'), { recursive: true })
}
