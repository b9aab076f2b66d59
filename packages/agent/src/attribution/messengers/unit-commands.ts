import { signalName } from '@whokilled/shared/signals'
import { type UnitRequest, unitRequestOf } from '../commands/systemd-clients.ts'
import { unitsOf } from '../commands/unit.ts'
import type { ProgramStart } from '../recent-programs.ts'
import { commandStep, commandsAt, mayHaveMissedOne, unlessMissed } from './asked.ts'
import type { Act, Messenger, Step } from './messenger.ts'
import { isUserManager } from './origin.ts'

/** What else may have had systemd act. */
export const unseenRequest = 'a program may have asked systemd over D-Bus, which is not seen'

/** A command that names the victim's unit. */
export const namedUnit: Messenger = (act) => {
  const units = unitsOf(act.deed.ending.victim.cgroup)
  const found = first(act, ({ ends, isAbout, signal }) => ends === 'units' && isAbout(units) && isSent(signal, act))
  return found && unlessMissed(clientStep(found, 'systemd-client', 'likely', 'the command named the unit'), act)
}

/** A command that ends all units but those of a target. */
export const otherUnits: Messenger = (act) => {
  const found = first(act, ({ ends }) => ends === 'others')
  const what = 'the command ends all units that its target does not want'
  return found && unlessMissed(clientStep(found, 'systemd-client', 'likely', what), act)
}

/** A command that shuts the host down. */
export const shutdownCommand: Messenger = (act) => {
  const { at, lately, actor } = act
  for (const start of lately.between(at - shutdownNs, at)) {
    const asked = unitRequestOf(start.program)
    const from = start.at + BigInt(asked?.afterS ?? 0) * 1_000_000_000n
    const isDone = start.status === undefined || start.status === 0
    if (asked?.ends !== 'host' || asked.isForUser !== isUserManager(actor) || !isDone) continue
    if (from <= at && at - from <= shutdownTakesNs)
      return clientStep(start, 'shutdown', 'likely', 'the command shuts the host down')
  }
  return undefined
}

/** How far back a shutdown may have been asked for with a delay, and how long it may take until a unit is stopped. */
const shutdownNs = 86_400_000_000_000n
const shutdownTakesNs = 300_000_000_000n

/** A command that names another unit, on which the victim's may depend; only where none can have been missed. */
export const dependency: Messenger = (act) => {
  if (mayHaveMissedOne(act)) return undefined
  const found = first(act, ({ ends, signal }) => ends === 'units' && isSent(signal, act))
  return (
    found &&
    clientStep(
      found,
      'systemd-client',
      'possible',
      'the command ran then, and named another unit, which this one may depend on',
    )
  )
}

function first(act: Act, fits: (request: UnitRequest) => boolean): ProgramStart | undefined {
  for (const start of commandsAt(act)) {
    const request = unitRequestOf(start.program)
    if (request !== undefined && request.isForUser === isUserManager(act.actor) && fits(request)) return start
  }
  return undefined
}

function isSent(name: string | undefined, { signal }: Act): boolean {
  return name === undefined || name === String(signal) || `SIG${name}` === signalName(signal)
}

function clientStep(start: ProgramStart, rule: string, confidence: Step['confidence'], what: string): Step {
  const reason = `${what}; that systemd acted for it was not seen, since it asks over D-Bus`
  return commandStep(start, {
    rule,
    confidence,
    reason,
    alternatives: confidence === 'possible' ? [unseenRequest] : [],
  })
}
