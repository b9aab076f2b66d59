import { isCalled } from '../commands/program.ts'
import type { Messenger } from './messenger.ts'

/** Daemons that end processes before the kernel's OOM killer has to. */
const guards = ['earlyoom', 'nohang', 'nohang-desktop', 'systemd-oomd', 'oomd', 'bustd']

/** A policy, not a person: memory was about to run out. */
export const memoryGuard: Messenger = ({ actor }) => {
  const name = guards.find((one) => isCalled(actor.program, new Set([one])))
  if (name === undefined) return undefined
  return {
    kind: 'policy',
    name: [`memory running short (${name})`],
    actor: undefined,
    rule: 'memory-guard',
    confidence: 'certain',
    reason: `${name} does nothing else than to end processes before memory runs out`,
    isRequest: true,
    givesTime: true,
  }
}
