import { signalName } from '@whokilled/shared/signals'
import type { Actor } from '../judged.ts'
import type { ProgramStart } from '../recent-programs.ts'
import { commandsAt } from './asked.ts'
import { endedBy } from './ended-by.ts'
import type { Act, Messenger, Step } from './messenger.ts'
import { isServiceManager, isUserManager } from './origin.ts'
import { type UnitRequest, unitRequestOf } from './systemd-clients.ts'
import { unitsOf } from './unit.ts'

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

const unseenRequest = 'a program may have asked systemd over D-Bus, which is not seen'

const namedUnit: Messenger = (act) => {
  const units = unitsOf(act.deed.ending.victim.cgroup)
  const found = first(act, ({ ends, isAbout, signal }) => ends === 'units' && isAbout(units) && isSent(signal, act))
  return found && commandStep(found, 'systemd-client', 'likely', 'the command named the unit')
}

const otherUnits: Messenger = (act) => {
  const found = first(act, ({ ends }) => ends === 'others')
  return (
    found && commandStep(found, 'systemd-client', 'likely', 'the command ends all units that its target does not want')
  )
}

const shutdownCommand: Messenger = (act) => {
  const { at, lately, actor } = act
  for (const start of lately.between(at - shutdownNs, at)) {
    const asked = unitRequestOf(start.program)
    const from = start.at + BigInt(asked?.afterS ?? 0) * 1_000_000_000n
    const isDone = start.status === undefined || start.status === 0
    if (asked?.ends !== 'host' || asked.isForUser !== isUserManager(actor) || !isDone) continue
    if (from <= at && at - from <= shutdownTakesNs)
      return commandStep(start, 'shutdown', 'likely', 'the command shuts the host down')
  }
  return undefined
}

/** How far back a shutdown may have been asked for with a delay, and how long it may take until a unit is stopped. */
const shutdownNs = 86_400_000_000_000n
const shutdownTakesNs = 300_000_000_000n

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

const memberWasOutOfMemory: Messenger = (act) => {
  const { victim } = act.deed.ending
  const [unit] = unitsOf(victim.cgroup)
  if (unit === undefined) return undefined
  for (const kill of act.oomKills()) {
    if (kill.at > act.at || act.at - kill.at > followsNs) continue
    if (kill.victim === victim || unitsOf(kill.victim.cgroup)[0] !== unit) continue
    return {
      kind: 'policy',
      name: [`another process of ${unit} being out of memory (OOMPolicy=stop)`],
      actor: undefined,
      rule: 'systemd-oom-policy',
      confidence: 'likely',
      reason: `the OOM killer had ended process ${kill.victim.pid} of the same unit`,
      alternatives: [unseenRequest],
      isRequest: true,
    }
  }
  return undefined
}

/** How soon systemd acts on the end of another process of the unit. */
const followsNs = 10_000_000_000n

/** SIGABRT (systemd.service(5), WatchdogSec=; systemd.kill(5), WatchdogSignal=) */
const watchdog: Messenger = ({ signal }) => {
  if (signal !== sigabrt) return undefined
  return {
    kind: 'policy',
    name: ['its watchdog (WatchdogSec=): it did not report in time'],
    actor: undefined,
    rule: 'systemd-watchdog',
    confidence: 'likely',
    reason: 'systemd sends SIGABRT when a service misses its watchdog',
    alternatives: ['a start or stop that took too long ends with SIGABRT, too, if the unit says so', unseenRequest],
    isRequest: true,
  }
}

const sigabrt = 6

const mainProcessEnded: Messenger = (act) => {
  const { victim } = act.deed.ending
  const [unit] = unitsOf(victim.cgroup)
  for (let one = victim.parent; one !== undefined; one = one.parent) {
    if (unitsOf(one.cgroup)[0] !== unit) return undefined
    if (one.endedAt === undefined || one.endedAt > act.at || act.at - one.endedAt > followsNs) continue
    const by = endedBy(act, one)
    if (by?.process === act.actor.process) return undefined
    return {
      kind: 'policy',
      name: [
        `the end of its main process (pid ${one.pid})`,
        ...(by === undefined ? [] : [', which was ended by ', { command: by }]),
      ],
      actor: by,
      rule: 'systemd-main-process',
      confidence: 'likely',
      reason: 'systemd ends what is left of a unit when its main process has ended',
      alternatives: [unseenRequest],
      isRequest: true,
    }
  }
  return undefined
}

const stoppedManager: Messenger = (act) => {
  if (!isUserManager(act.actor)) return undefined
  const by = endedBy(act, act.actor.process)
  if (by === undefined) return undefined
  return {
    kind: 'process',
    name: [{ command: by }],
    actor: by,
    rule: 'systemd-user-stopped',
    confidence: 'likely',
    reason: 'systemd of the user had been asked to end itself',
    isRequest: !isServiceManager(by),
  }
}

const logout: Messenger = ({ deed }) => {
  const unit = unitsOf(deed.ending.victim.cgroup).find((one) => /^(?:session-\w+\.scope|user@\d+\.service)$/.test(one))
  if (unit === undefined) return undefined
  const uid = Number(/\/user-(\d{1,10})\.slice\//.exec(deed.ending.victim.cgroup ?? '')?.[1] ?? Number.NaN)
  return {
    kind: 'policy',
    name: ['the end of the login session of ', { user: Number.isNaN(uid) ? undefined : uid }],
    actor: undefined,
    rule: 'logout',
    confidence: 'likely',
    reason: `systemd ended what was left in ${unit}`,
    alternatives: ['KillUserProcesses= of logind decides whether a logout ends processes', unseenRequest],
    isRequest: true,
  }
}

const dependency: Messenger = (act) => {
  if (act.deed.ending.gapsBetween(act.at - lookBackNs, act.at).length > 0) return undefined
  const found = first(act, ({ ends, signal }) => ends === 'units' && isSent(signal, act))
  return (
    found &&
    commandStep(
      found,
      'systemd-client',
      'possible',
      'the command ran then, and named another unit, which this one may depend on',
    )
  )
}

const lookBackNs = 10_000_000_000n

const unknown: Messenger = ({ deed, at, signal }) => {
  const { victim } = deed.ending
  const ranMs = victim.start === undefined ? undefined : Number((at - victim.start) / 1_000_000n)
  const ran = ranMs === undefined ? '' : `; it had run for ${(ranMs / 1_000).toFixed(1)} s`
  return {
    kind: 'policy',
    name: ['a request that was not seen, or a setting of its unit'],
    actor: undefined,
    rule: 'systemd-unseen',
    confidence: 'possible',
    reason: `no command was seen that asked systemd for ${signalName(signal)}`,
    alternatives: [
      unseenRequest,
      `a setting of the unit may have ended it (RuntimeMaxSec=, TimeoutStartSec=, BindsTo=, Conflicts=${ran})`,
    ],
    isRequest: true,
  }
}

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
  unknown,
]

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

function commandStep(start: ProgramStart, rule: string, confidence: Step['confidence'], what: string): Step {
  return {
    kind: 'process',
    name: ['`', { command: start }, '`'],
    actor: start,
    rule,
    confidence,
    reason: `${what}; that systemd acted for it was not seen, since it asks over D-Bus`,
    alternatives: confidence === 'possible' ? [unseenRequest] : [],
    at: start.at,
    isRequest: true,
  }
}
