import type { Actor } from '../judged.ts'
import type { Act, Messenger, Step } from './messenger.ts'
import { isServiceManager } from './origin.ts'
import { dependency, namedUnit, otherUnits, shutdownCommand } from './unit-commands.ts'
import {
  logout,
  mainProcessEnded,
  memberWasOutOfMemory,
  stoppedManager,
  unseenReason,
  watchdog,
} from './unit-settings.ts'

/** The first that fits. */
const reasons: readonly Messenger[] = [
  namedUnit,
  shutdownCommand,
  otherUnits,
  memberWasOutOfMemory,
  watchdog,
  mainProcessEnded,
  stoppedManager,
  logout,
  dependency,
  unseenReason,
]

/**
 * systemd ends the processes of a unit because somebody asked it to, over D-Bus, which is not seen: the commands by
 * which people ask are; or because a setting of the unit says so.
 */
export const serviceManager: Messenger = (act) => {
  if (isShuttingDown(act.actor)) return shutdownCommand(act) ?? shutdownOf(act)
  if (!isServiceManager(act.actor)) return undefined
  const step = reasons.reduce<Step | undefined>((found, reason) => found ?? reason(act), undefined)
  return step === undefined ? undefined : { ...step, givesTime: true }
}

const shutdownOf = ({ actor }: Act): Step => ({
  kind: 'policy',
  name: ['the shutdown of the system'],
  actor: undefined,
  rule: 'shutdown',
  confidence: 'certain',
  reason: `${actor.program.comm ?? 'systemd-shutdown'} ends all processes that are left`,
  isRequest: true,
})

/** What process 1 becomes at the end of a shutdown; comm has 15 bytes. */
function isShuttingDown({ process, program }: Actor): boolean {
  return (
    process.pid === 1 && (program.comm === 'systemd-shutdow' || program.exe?.endsWith('/systemd-shutdown') === true)
  )
}
