import type { CurrentProcess } from '../record/record.ts'
import type { KnownContainers } from './containers/known-containers.ts'
import { type ProcessEntry, programWith } from './entry.ts'

/** Audit's mark for «not set» (include/uapi/linux/audit.h, AUDIT_UID_UNSET). */
const auditUnset = 4_294_967_295

/** Takes over what a record or a scan tells of a process; what it does not tell stays as it was. */
export function learn(entry: ProcessEntry, facts: CurrentProcess, containers: KnownContainers): void {
  entry.ppid ??= facts.ppid
  entry.nsPid ??= facts.nspid
  entry.nsId ??= facts.nsid
  if (facts.luid !== undefined) entry.loginUid = facts.luid === auditUnset ? undefined : facts.luid
  if (facts.ses !== undefined) entry.sessionId = facts.ses === auditUnset ? undefined : facts.ses
  if (facts.sid !== undefined) entry.sid = facts.sid
  if (facts.tty !== undefined) entry.tty = facts.tty === '' ? undefined : facts.tty.replace(/^pts(?=\d)/, 'pts/')
  if (facts.cgroup !== undefined) moveTo(entry, facts.cgroup, containers)
  learnUser(entry, facts)
  const isFirstThread = facts.tid === undefined || facts.tid === facts.pid
  const comm = isFirstThread ? (facts.comm ?? entry.program.comm) : entry.program.comm
  const exe = entry.program.exe ?? (facts.exe === '' ? undefined : facts.exe)
  if (comm !== entry.program.comm || exe !== entry.program.exe)
    entry.program = programWith(entry.program, { comm, exe })
}

/** Who a process is when it sends a signal is kept with the signal: it may be somebody else a moment later. */
function learnUser(entry: ProcessEntry, { uid = entry.uid, euid = entry.euid }: CurrentProcess): void {
  const { program } = entry
  if (uid === program.user?.uid && euid === program.user?.euid) return
  entry.uid = uid
  entry.euid = euid
  entry.program = programWith(program, { user: { uid, euid } })
}

/**
 * A process belongs to another cgroup from now on, and so perhaps to another container. A probe that sees the unified
 * hierarchy alone tells its root on hosts with version 1; what /proc told is better than that.
 */
export function moveTo(entry: ProcessEntry, cgroup: string, containers: KnownContainers): void {
  if (entry.cgroup === cgroup || (cgroup === '/' && entry.cgroup !== undefined)) return
  entry.cgroup = cgroup
  entry.container = containers.in(cgroup)
}
