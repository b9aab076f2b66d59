// What must hold before anything runs: types, style, dead code. Each step runs even when one before it has failed.
import { spawnSync } from 'node:child_process'

const steps = [
  ['types', 'tsc', ['-b']],
  ['types of the tests', 'tsc', ['-p', 'test']],
  ['style', 'biome', ['check', '--error-on-warnings', '.']],
  ['dead code', 'knip', []],
  ['tidiness', 'vitest', ['run', '--project', 'tidy']],
]

const failed = steps.filter(([, program, args]) => spawnSync(program, args, { stdio: 'inherit' }).status !== 0)
for (const [name] of failed) process.stderr.write(`check: ${name} failed\n`)
process.exit(failed.length === 0 ? 0 : 1)
