import { unitsOf } from '../commands/unit.ts'
import type { Messenger } from './messenger.ts'
import { isServiceManager, originOf } from './origin.ts'

/**
 * ExecStop= and ExecReload=: systemd starts a command in the unit's own cgroup, which stops or signals the unit's
 * processes; systemd acts, for whoever asked it. The command is younger than the victim and no ancestor of it.
 */
export const controlProcess: Messenger = (act) => {
  const { actor, deed, at } = act
  const { victim } = deed.ending
  const { kind, process, top } = originOf(act)
  if (kind !== 'manager' || process === undefined) return undefined
  const manager = { process, program: process.program }
  const [unit] = unitsOf(top.process.cgroup)
  const isOfUnit = unit?.endsWith('.service') === true && unitsOf(victim.cgroup)[0] === unit
  const isYounger = (top.process.start ?? 0n) > (victim.start ?? at)
  if (!isServiceManager(manager) || !isOfUnit || !isYounger) return undefined
  return {
    kind: 'process',
    name: ['systemd'],
    actor: manager,
    rule: 'systemd-control-process',
    confidence: 'likely',
    reason: `systemd had started ${top.process === actor.process ? 'it' : 'what ran it'} in the unit itself, as ExecStop= and ExecReload= say`,
    at: top.process.start ?? at,
    givesTime: true,
  }
}
