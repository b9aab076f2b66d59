import { isClient } from '../commands/clients.ts'
import { isSameCommand } from '../commands/program.ts'
import { shellUse } from '../commands/shell.ts'
import { isTool } from '../commands/tools.ts'
import type { Messenger } from './messenger.ts'
import { isBetween, originOf } from './origin.ts'

/** kill(1), xargs, `sh -c` and the like do what they were called for: whoever ran them stands behind. */
export const tool: Messenger = (act) => {
  const { actor } = act
  if (!isTool(actor.program) && !isClient(actor.program)) return undefined
  const { path } = originOf(act)
  const nearest = path.find((one) => !isBetween(one) && !isSameCommand(one.program, actor.program))
  // Of a script's subshells and the script itself, the script.
  const caller = nearest && path.findLast(({ program }) => isSameCommand(program, nearest.program))
  if (caller === undefined || shellUse(caller.program) === 'nameless') return undefined
  return {
    kind: 'process',
    name: [{ command: caller }],
    actor: caller,
    rule: 'tool',
    confidence: 'certain',
    reason: 'it had run the killer',
    givesTime: true,
  }
}
