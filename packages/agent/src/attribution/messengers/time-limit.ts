import { isCalled, isSameCommand, wordsOf } from '../commands/program.ts'
import { wordsIn } from '../commands/words.ts'
import type { Actor } from '../judged.ts'
import type { Act, Messenger } from './messenger.ts'
import { originOf } from './origin.ts'

const names: ReadonlySet<string> = new Set(['timeout', 'gtimeout'])

/** timeout(1) ends what ran too long; its caller set the limit. */
export const timeLimit: Messenger = (act) => {
  const { actor, at } = act
  if (!isCalled(actor.program, names)) return undefined
  const limit = limitOf(wordsOf(actor.program).slice(1))
  const ran = actor.process.start === undefined ? undefined : at - actor.process.start
  // Before its time it only passes on a signal.
  if (limit !== undefined && ran !== undefined && Number(ran) < limit.seconds * 0.95e9) return undefined
  return {
    kind: 'policy',
    name: [limit === undefined ? 'a time limit' : `a time limit of ${limit.text}`],
    actor: callerOf(act),
    rule: 'time-limit',
    confidence: 'certain',
    reason: 'timeout(1) had run for as long as it was told to',
    isRequest: true,
    givesTime: true,
  }
}

/** Not another timeout around it; and busybox's is a child of the very process that it ends. */
function callerOf({ actor, at, deed }: Act): Actor | undefined {
  const { victim } = deed.ending
  const from = actor.process.parent === victim ? { process: victim, program: victim.program } : actor
  return originOf({ actor: from, at }).path.find(
    ({ process, program }) =>
      process !== victim &&
      process !== actor.process &&
      !isCalled(program, names) &&
      !isSameCommand(program, actor.program),
  )
}

function limitOf(args: readonly string[]): { readonly seconds: number; readonly text: string } | undefined {
  const { plain, options } = wordsIn(args, valuedOptions)
  const [, count = '', unit = ''] =
    /^(\d{0,9}\.?\d{1,9}(?:e[+-]?\d)?)([smhd]?)$/i.exec(options.get('-t') ?? plain[0] ?? '') ?? []
  const [seconds, word] = units.get(unit) ?? [1, 's']
  return count === '' || Number(count) === 0
    ? undefined
    : { seconds: Number(count) * seconds, text: `${Number(count)} ${word}` }
}

/** -t: busybox until 1.29 */
const valuedOptions: ReadonlySet<string> = new Set(['-k', '--kill-after', '-s', '--signal', '-t'])

const units: ReadonlyMap<string, readonly [number, string]> = new Map([
  ['m', [60, 'min']],
  ['h', [3_600, 'h']],
  ['d', [86_400, 'd']],
])
