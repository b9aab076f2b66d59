import type { Program } from '../../process/entry.ts'
import { supervisorClients } from '../messengers/supervisor.ts'
import { containerClients } from './container-clients.ts'
import { isCalled } from './program.ts'
import { systemdClients } from './systemd-clients.ts'

/** Programs that ask daemons to act, for RecentPrograms. */
export const clients: ReadonlySet<string> = new Set([...systemdClients, ...containerClients, ...supervisorClients])

/** Whether a program asks a daemon for what it was called for, and does nothing of its own. */
export function isClient(program: Program): boolean {
  return isCalled(program, clients)
}
