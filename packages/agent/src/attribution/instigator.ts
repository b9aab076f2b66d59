import type { Deed, Instigation } from './judged.ts'
import type { Act, Messenger } from './messengers/messenger.ts'
import type { RecentPrograms } from './recent-programs.ts'

/** Who acts for others; the first that knows an actor wins. */
const messengers: readonly Messenger[] = []

/** Programs that ask others to act, for RecentPrograms. */
export const clients: ReadonlySet<string> = new Set()

/** How far an act is followed back. */
const stepsMax = 8

/** For whom the killer acted: walks from messenger to messenger until nobody stands behind. */
export function instigatorOf(deed: Deed, lately: RecentPrograms): Instigation | undefined {
  const at = deed.finding.fatal?.record.time ?? deed.ending.at
  const steps: Instigation[] = []
  let actor = deed.killer
  while (actor !== undefined && steps.length < stepsMax) {
    const act: Act = { actor, steps, deed, at, lately }
    const step = messengers.reduce<Instigation | undefined>((found, rule) => found ?? rule(act), undefined)
    if (step === undefined) break
    steps.push(step)
    actor = step.actor
  }
  const last = steps.at(-1)
  return last === undefined ? undefined : { ...last, confidence: weakest(steps) }
}

const order = ['certain', 'likely', 'possible'] as const

function weakest(steps: readonly Instigation[]): Instigation['confidence'] {
  return order[Math.max(...steps.map(({ confidence }) => order.indexOf(confidence)))] ?? 'possible'
}
