import type { DeathEvent, Oom, Unstamped } from '../event.ts'
import { processName } from './process-name.ts'
import { shortened, terminalText } from './terminal-text.ts'

/** What the OOM killer's sentences are made of. */
export type MemoryDeath = Pick<Unstamped<DeathEvent>, 'oom' | 'victim'>

type Consumer = NonNullable<Oom['consumers']>[number]

/** How many that held memory are named to a person; the event may have more. */
const namedMax = 3

/** Why the OOM killer ran: `cgroup /x reached its limit of 64 MiB`. */
export function memoryText({ oom }: MemoryDeath): string {
  if (oom?.scope === 'host') return 'the host was out of memory'
  if (oom?.scope === 'nodes') return 'the memory nodes that it may use were full'
  if (oom?.scope === 'sysrq') return 'somebody called the OOM killer by hand (SysRq f)'
  return oom?.scope === 'cgroup' ? limitText(oom) : 'memory ran out'
}

function limitText({ cgroup, limitBytes, limitSetBy }: Oom): string {
  if (cgroup === null) return 'a memory limit of its cgroup was reached'
  const group = `cgroup ${shortened(terminalText(cgroup), 120)}`
  const limit = limitBytes === null ? undefined : bytesText(limitBytes)
  if (!limitSetBy) return `${group} reached its ${limit === undefined ? 'memory limit' : `limit of ${limit}`}`
  const { pid, user, uid } = limitSetBy
  const whose = user === null ? `uid ${uid ?? 'unknown'}` : `user ${shortened(terminalText(user), 40)}`
  const setLimit = limit === undefined ? `set the memory limit of ${group}` : `set the limit of ${group} to ${limit}`
  return `${processName(limitSetBy)} (pid ${pid}, ${whose}) ${setLimit}, less than it used`
}

/** `; most memory was held by java (pid 812, 3.1 GiB)`, where that was not the victim; empty where it was or is not known. */
export function eaterText(death: MemoryDeath): string {
  const most = death.oom?.consumers?.[0]
  if (most === undefined || death.oom?.scope === 'sysrq') return ''
  if (isHeldByFiles(death)) return `; most memory was not held by processes, but by files in memory or the kernel`
  const own = death.oom?.consumers?.find(({ pid }) => pid === death.victim.pid)
  return own?.bytes === most.bytes ? '' : `; most memory was held by ${holderText(most, death)}`
}

/** Who held how much, for the story; undefined where memory was not what it was about, and of agents that never told. */
export function holdersText(death: MemoryDeath): string | undefined {
  const { oom } = death
  if (oom?.consumers === undefined || oom.scope === 'sysrq' || oom.scope === 'unknown') return undefined
  const holders = (oom.consumers ?? []).slice(0, namedMax)
  if (holders.length === 0) return 'who held it is not known: no list of the kernel was seen (vm.oom_dump_tasks)'
  const held = holders.map((one) => holderText(one, death)).join(', ')
  if (!isHeldByFiles(death)) return `most was held by ${held}`
  return `most was held by files in memory (tmpfs, page cache) or the kernel; of processes by ${held}`
}

/** `64 MiB`, `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const count = bytes / 1024 ** power
  return `${Number.isInteger(count) ? count : count.toFixed(1)} ${units[power]}`
}

/** Processes share memory and are each told with all of it, so together they tell too much rather than too little. */
function isHeldByFiles({ oom }: MemoryDeath): boolean {
  const limitBytes = oom?.limitBytes ?? null
  const processBytes = oom?.processBytes ?? null
  return limitBytes !== null && processBytes !== null && processBytes < limitBytes / 2
}

function holderText({ pid, comm, bytes }: Consumer, { victim }: MemoryDeath): string {
  if (pid === victim.pid) return `itself (${bytesText(bytes)})`
  return `${processName({ ...victim, pid, comm, exe: null, args: null })} (pid ${pid}, ${bytesText(bytes)})`
}
