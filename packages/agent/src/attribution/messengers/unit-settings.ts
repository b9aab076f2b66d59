import { signalName } from '@whokilled/shared/signals'
import { unitsOf } from '../commands/unit.ts'
import { unlessMissed } from './asked.ts'
import { endedBy } from './ended-by.ts'
import type { Messenger, Step } from './messenger.ts'
import { isServiceManager, isUserManager } from './origin.ts'
import { unseenRequest } from './unit-commands.ts'

/** OOMPolicy=stop: another process of the unit was out of memory. */
export const memberWasOutOfMemory: Messenger = (act) => {
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
export const watchdog: Messenger = ({ signal }) => {
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

/** What is left of a unit whose main process has ended; who ended that stands behind it. */
export const mainProcessEnded: Messenger = (act) => {
  const { victim } = act.deed.ending
  const [unit] = unitsOf(victim.cgroup)
  if (unit?.endsWith('.service') !== true) return undefined
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

/** The systemd of a user ends its units when it is told to end. */
export const stoppedManager: Messenger = (act) => {
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

/** A session's processes, and the user's services, end with it (logind.conf(5), KillUserProcesses=). */
export const logout: Messenger = (act) => {
  const { deed } = act
  const unit = unitsOf(deed.ending.victim.cgroup).find((one) => /^(?:session-\w+\.scope|user@\d+\.service)$/.test(one))
  if (unit === undefined) return undefined
  const uid = Number(/\/user-(\d{1,10})\.slice\//.exec(deed.ending.victim.cgroup ?? '')?.[1] ?? Number.NaN)
  const step: Step = {
    kind: 'policy',
    name: ['the end of the login session of ', { user: Number.isNaN(uid) ? undefined : uid }],
    actor: undefined,
    rule: 'logout',
    confidence: 'likely',
    reason: `systemd ended what was left in ${unit}`,
    alternatives: ['KillUserProcesses= of logind decides whether a logout ends processes', unseenRequest],
    isRequest: true,
  }
  return unlessMissed(step, act)
}

/** Why systemd acted is not known. */
export const unseenReason: Messenger = ({ deed, at, signal }) => {
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
