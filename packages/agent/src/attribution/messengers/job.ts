import { isCalled } from '../commands/program.ts'
import { runnerName } from '../commands/runners.ts'
import type { Actor, NamePart } from '../judged.ts'
import type { Messenger } from './messenger.ts'
import { originOf } from './origin.ts'

/** What cron, atd or a runner of jobs has started, and all that comes from it, acts for the job. */
export const job: Messenger = (act) => {
  const { kind, process, path, top } = originOf(act)
  if (process === undefined || (kind !== 'cron' && kind !== 'at' && kind !== 'runner')) return undefined
  // run-parts goes through a folder of scripts, such as /etc/cron.daily.
  const runParts = path.findIndex(({ program }) => isCalled(program, new Set(['run-parts'])))
  const target = path[runParts - 1] ?? top
  const by = runnerName(process.program)
  return {
    kind: 'process',
    name: nameOf(kind, by, target),
    actor: target,
    rule: kind === 'runner' ? 'runner-job' : `${kind}-job`,
    confidence: 'certain',
    reason: kind === 'runner' ? `${by} had started it` : `${kind === 'at' ? 'atd' : 'cron'} had started it`,
  }
}

function nameOf(kind: 'cron' | 'at' | 'runner', by: string | undefined, target: Actor): NamePart[] {
  const user = { user: target.process.uid }
  if (kind === 'cron') return ['the cron job of ', user, ': ', { job: target }]
  // The commands of an at job come through its shell's standard input.
  return kind === 'at' ? ['the at job of ', user] : [`a job of ${by}: `, { job: target }]
}
