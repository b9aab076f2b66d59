import type { Process } from '@whokilled/shared/process'
import type { BootClock } from '../clock.ts'
import { bytesOf } from '../record/bytes.ts'
import { type ProcessEntry, processEntry, startOfTicks } from './entry.ts'

/**
 * A process as an earlier run of the agent described it, made into an entry again. One of an earlier boot has a start
 * before this one, a negative time.
 */
export function entryOf(process: Process, bootId: string, clock: BootClock): ProcessEntry {
  const { id, pid, comm, exe, args, tty, cgroup } = process
  return processEntry({
    id,
    pid,
    start: startOf(process, bootId, clock),
    ppid: process.ppid ?? undefined,
    program: {
      comm: bytesOrNothing(comm),
      exe: bytesOrNothing(exe),
      args: args?.map(bytesOf),
      argsTruncated: process.argsTruncated,
    },
    nsPid: process.nsPid ?? undefined,
    uid: process.uid ?? undefined,
    euid: process.euid ?? undefined,
    loginUid: process.loginUid ?? undefined,
    sessionId: process.sessionId ?? undefined,
    tty: bytesOrNothing(tty),
    cgroup: bytesOrNothing(cgroup),
    container: process.container,
    seeded: true,
  })
}

/** The ticks of its id do not change when the clock on the wall is set; those of another boot mean nothing here. */
function startOf({ id, startedAt }: Process, bootId: string, clock: BootClock): bigint | undefined {
  const [boot, ticks] = id.split(':')
  if (boot === bootId && /^\d{1,18}$/.test(ticks ?? '')) return startOfTicks(BigInt(ticks ?? 0))
  return startedAt === null ? undefined : clock.bootTime(startedAt)
}

function bytesOrNothing(text: string | null): string | undefined {
  return text === null ? undefined : bytesOf(text)
}
