/**
 * How soon after a death its verdict is there: processes are killed one after the other on this machine, and each time
 * is from the kernel's record of the death until `whokilled-agent watch --json` has printed the event. Beside it, in the
 * same run, how soon the parent of the process is told of the same death by the kernel.
 *
 *     npm run bench -- verdict [kills]
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DeathEvent, Event } from '@whokilled/shared/event'
import { compiledPrograms } from '../test/kernel/lab/programs.ts'
import { figures } from './figures.ts'

const killCount = Number(process.argv[2] ?? 200)
const root = join(import.meta.dirname, '..')

execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
const watch = spawn(process.execPath, [join(root, 'packages/agent/dist/main.js'), 'watch', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, NODE_OPTIONS: '' },
})
const waiting = new Map<number, (death: DeathEvent) => void>()
let probe = ''
const watching = new Promise<void>((resolve) => {
  createInterface({ input: watch.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Event
    probe = event.agent.probe
    if (event.type === 'coverage') resolve()
    if (event.type === 'death') waiting.get(event.victim.pid)?.(event as DeathEvent)
  })
})
await watching

const victim = (await compiledPrograms()).get('victim') ?? ''
const verdicts: number[] = []
const parents: number[] = []
let named = 0
for (let kill = 0; kill < killCount; kill += 1) {
  const child = spawn(victim, [], { stdio: 'ignore' })
  await once(child, 'spawn')
  await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60))
  const told = new Promise<[DeathEvent, number]>((resolve) => {
    waiting.set(child.pid ?? 0, (death) => resolve([death, wallClockMs()]))
  })
  const reaped = once(child, 'exit').then(wallClockMs)
  child.kill('SIGKILL')
  const [[death, toldMs], reapedMs] = await Promise.all([told, reaped])
  waiting.delete(child.pid ?? 0)
  verdicts.push(toldMs - milliseconds(death.at))
  parents.push(reapedMs - milliseconds(death.at))
  if (death.killer?.pid === process.pid && death.verdict.confidence === 'certain') named += 1
}
watch.kill('SIGTERM')
await once(watch, 'exit')

const ratio = Math.round((figures(verdicts).p50 / figures(parents).p50) * 10) / 10
console.log(`${killCount} kills under ${probe}: ${named} with the right killer and certain`)
print('death → its verdict', verdicts)
print('death → its parent is told', parents)
console.log(
  JSON.stringify({
    benchmark: 'verdict',
    probe,
    kills: killCount,
    named,
    verdictMs: figures(verdicts),
    parentMs: figures(parents),
    ratio,
  }),
)

/** Wall-clock time with fractions of a millisecond; Date.now() has none. */
function wallClockMs(): number {
  return performance.timeOrigin + performance.now()
}

function milliseconds(at: string): number {
  return Date.parse(`${at.slice(0, 23)}Z`) + Number(at.slice(23, 26)) / 1_000
}

function print(what: string, values: readonly number[]): void {
  const { p50, p99, max } = figures(values)
  console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`)
}
