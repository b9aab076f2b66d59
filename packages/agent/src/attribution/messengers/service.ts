import { serviceUnitOf } from '../../process/cgroup.ts'
import { commandOf, wordsOf } from '../commands/program.ts'
import { shellUse } from '../commands/shell.ts'
import { isTool } from '../commands/tools.ts'
import { namesUnit, unitsOf } from '../commands/unit.ts'
import { wordsIn } from '../commands/words.ts'
import { commandStep, commandsAt, unlessMissed } from './asked.ts'
import type { Messenger } from './messenger.ts'
import { originOf } from './origin.ts'

/** What a unit or a supervisor has started acts for that service; a daemon that kills of its own acts for nobody. */
export const service: Messenger = (act) => {
  const { kind, process, top } = originOf(act)
  if (process === undefined || (kind !== 'manager' && kind !== 'supervisor')) return undefined
  const isItself = top.process === act.actor.process
  if (isItself && act.steps.length === 0 && !isTool(top.program) && shellUse(top.program) === undefined)
    return undefined
  const unit = serviceUnitOf(top.process.cgroup ?? '')
  if (kind === 'manager' && unit === undefined) return undefined
  if (kind === 'supervisor' && isItself && act.steps.length === 0) return undefined
  const [by = ''] = wordsOf(process.program)
  return {
    kind: 'process',
    name: kind === 'manager' ? [unit ?? ''] : [{ command: top }, ` of ${by}`],
    actor: top,
    rule: 'service',
    confidence: top.process.seeded ? 'likely' : 'certain',
    reason:
      isItself && act.steps.length === 0 ? 'the killer runs as this service' : 'the killer comes from this service',
  }
}

/** A unit that ran because a command had asked systemd to start it. */
export const startedUnit: Messenger = (act) => {
  const { actor, steps, lately } = act
  const started = actor.process.start
  if (steps.at(-1)?.rule !== 'service' || started === undefined) return undefined
  const units = unitsOf(actor.process.cgroup)
  for (const start of commandsAt({ lately, at: started })) {
    const [name = '', ...args] = commandOf(start.program)
    const { plain, options } = wordsIn(args, new Set())
    const [first = '', ...rest] = name === 'service' ? [...plain].reverse() : plain
    const isStart = (name === 'systemctl' && !options.has('--user')) || name === 'service'
    if (!isStart || !starters.has(first) || !rest.some((word) => namesUnit(word, units))) continue
    const reason = 'the command asked systemd to start that service'
    const step = commandStep(start, { rule: 'started-unit', confidence: 'likely', reason })
    return unlessMissed(step, { ...act, at: started })
  }
  return undefined
}

const starters: ReadonlySet<string> = new Set(['start', 'restart', 'try-restart', 'reload-or-restart'])
