import { areRelated } from '../../process/family.ts'
import { programName } from '../../process/service.ts'
import { isCalled } from '../commands/program.ts'
import { RecentPrograms } from '../recent-programs.ts'
import type { Aim } from './aim.ts'

/** Programs that tell pids by name, port or service. */
const finders: ReadonlySet<string> = new Set([
  ...['pgrep', 'pidof', 'ps', 'pstree', 'top', 'htop', 'lsof', 'fuser', 'ss', 'netstat'],
  ...['systemctl', 'docker', 'podman', 'crictl', 'nerdctl', 'ctr', 'supervisorctl', 'jps'],
])

/** Programs that look for their targets by name themselves. */
const huntsmen: ReadonlySet<string> = new Set(['pkill', 'killall', 'killall5', 'skill', 'fuser'])

export type Lookups = RecentPrograms

/** The programs that look for pids, each time one is started. */
export function newLookups(): Lookups {
  return new RecentPrograms(finders)
}

/** A program that looked for pids for the killer while the victim was there; the killer may have the number from it. */
export function lookedUp({ killer, victimStart, at }: Aim, lookups: Lookups): string | undefined {
  for (const { process, program } of lookups.between(victimStart, at)) {
    if (process !== killer.process && areRelated(process, killer.process)) return programName(program)
  }
  return undefined
}

/** The killer finds its targets by name: whatever had the number before, it did not mean that. */
export function huntsByName({ killer }: Aim): boolean {
  return isCalled(killer.program, huntsmen)
}
