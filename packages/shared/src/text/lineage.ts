import type { DeathEvent } from '../event.ts'
import type { Ancestor, Process } from '../process.ts'
import { processName, userText } from './process-name.ts'

/**
 * Who started a process, nearest first: `bash ← sshd: deploy@pts/0`. A login ends the line, because what stands
 * behind it is the same on every host; pid 1 is named only if there is nobody else.
 */
export function lineageText(process: Process): string {
  const named = uptoLogin(process.ancestors).map((ancestor) => processName(ancestor, 48))
  if (named.length === 0) return process.pid === 1 ? 'nobody: it is the first process' : 'not known'
  if (named.length <= ancestorsShownMax) return named.join(' ← ')
  const hidden = named.length - ancestorsShownMax
  return [...named.slice(0, ancestorsShownMax - 1), `… ${hidden} more …`, named.at(-1)].join(' ← ')
}

/** How many ancestors are named; of a longer line the middle is left out. */
const ancestorsShownMax = 7

/**
 * Who logged in, where that is another user than the one the process runs as: `login user alice (uid 1000)`.
 * The name is that of an ancestor that still ran as this user.
 */
export function loginText(process: Process): string | undefined {
  const { loginUid } = process
  if (loginUid === null || loginUid === process.uid) return undefined
  const user = process.ancestors.find((ancestor) => ancestor.uid === loginUid)?.user ?? null
  return `login ${userText(user, loginUid)}`
}

/** True if the victim is a further process of its service: its parent belongs to the same unit or container. */
export function isMember(death: Pick<DeathEvent, 'victim' | 'service'>): boolean {
  const parent = death.victim.ancestors[0]
  if (parent === undefined) return false
  if (death.service.kind === 'systemd') return parent.cgroup !== null && parent.cgroup === death.victim.cgroup
  if (death.service.kind !== 'container') return false
  return parent.container !== null && parent.container.id === death.victim.container?.id
}

function uptoLogin(ancestors: readonly Ancestor[]): readonly Ancestor[] {
  const login = ancestors.findIndex((ancestor) => /^sshd(-session)?: \S+@/.test(ancestor.args?.[0] ?? ''))
  if (login !== -1) return ancestors.slice(0, login + 1)
  const others = ancestors.filter((ancestor) => ancestor.pid !== 1)
  return others.length > 0 ? others : ancestors
}
