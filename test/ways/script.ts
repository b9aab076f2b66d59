import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Way } from './way.ts'

/**
 * One shell script that makes all of these ways happen, one after the other, each in a subshell of its own. Expects
 * FACTS, CGROUP and SCRATCH in the environment.
 */
export function scriptOf(ways: readonly Way[]): string {
  const prelude = readFileSync(join(import.meta.dirname, 'prelude.sh'), 'utf8')
  return [prelude, ...ways.map(partOf), 'exit 0\n'].join('\n')
}

function partOf({ name, before = '', script }: Way): string {
  return `(\nexport WAY=${name}; mkdir "$SCRATCH/$WAY"; cd "$SCRATCH/$WAY"\n${before.trim()}\nbegin\n${script.trim()}\nend\n)`
}
