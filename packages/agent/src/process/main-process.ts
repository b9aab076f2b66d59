import type { Service } from '@whokilled/shared/event'
import type { ProcessEntry } from './entry.ts'
import { type ServiceRule, serviceOf } from './service.ts'

/** What decides whether a service stands and falls with a process. */
export interface Standing {
  readonly process: ProcessEntry
  readonly service: Service
  readonly parentService: Service | undefined
  readonly lifeMs: number
  /** Whether nobody older of its service lives; asked only where it matters. */
  readonly isOldest: () => boolean
}

/** Whether a process is the one that its service stands and falls with. */
export function isMainProcess(standing: Standing, programLifeMsMin: number): boolean {
  const { process, service, parentService, lifeMs, isOldest } = standing
  if (isKernelThread(process)) return false
  if (parentService !== undefined && isSameService(parentService, service)) return false
  switch (service.kind) {
    case 'config':
      return true
    case 'container':
      // A health check or `docker exec` comes from outside too; the container's own process is its pid 1.
      return process.nsPid === 1 || (process.nsPid === process.pid && isOldest())
    case 'systemd':
      return isOldest()
    default:
      return process.hasExeced && lifeMs >= programLifeMsMin && !waiting.has(service.name)
  }
}

export function isSameService(a: Service, b: Service): boolean {
  return a.name === b.name && a.kind === b.kind
}

/** Commands that scripts wait with: long-lived, and no service. */
const waiting = new Set(['sleep', 'usleep', 'tail', 'timeout', 'inotifywait'])

/** The main processes of all services, those that a person has named or systemd runs first. */
export function mainProcesses(
  living: Iterable<ProcessEntry>,
  { services, programLifeMsMin }: { services: readonly ServiceRule[]; programLifeMsMin: number },
  now: bigint,
): ProcessEntry[] {
  const own = new Map<ProcessEntry, Service>()
  const oldest = new Map<string, ProcessEntry>()
  for (const process of living) {
    // Its end is the host's.
    if (process.pid === 1) continue
    const service = serviceOf(process, services)
    own.set(process, service)
    const first = oldest.get(keyOf(service))
    if (first === undefined || (process.start ?? 0n) < (first.start ?? 0n)) oldest.set(keyOf(service), process)
  }
  const mains: { process: ProcessEntry; rank: number }[] = []
  for (const [process, service] of own) {
    const { parent, start } = process
    const lifeMs = Number((now - (start ?? 0n)) / 1_000_000n)
    const parentService = parent === undefined ? undefined : (own.get(parent) ?? serviceOf(parent, services))
    const standing = { process, service, parentService, lifeMs, isOldest: () => oldest.get(keyOf(service)) === process }
    if (isMainProcess(standing, programLifeMsMin)) mains.push({ process, rank: ranks[service.kind] ?? lastRank })
  }
  return mains.sort((a, b) => a.rank - b.rank).map(({ process }) => process)
}

const ranks: Readonly<Record<string, number>> = { config: 0, systemd: 1, container: 1 }
const lastRank = 2

function keyOf({ kind, name }: Service): string {
  return `${kind}\n${name}`
}

/** kthreadd has pid 2, and is the parent of all other kernel threads; no program of theirs has a path or arguments. */
function isKernelThread({ pid, ppid, program }: ProcessEntry): boolean {
  return (pid === 2 || ppid === 2) && program.exe === undefined && program.args === undefined
}
