import type { ProcessEntry } from '../../process/entry.ts'
import type { Applied } from '../../process/table.ts'
import type { KernelRecord, LogRecord, OomRecord } from '../../record/record.ts'
import type { Ending } from '../causes/cause.ts'
import type { OutOfMemory } from '../judged.ts'
import { OomReport } from './oom-report.ts'

/** Reports that are open at a time: the kernel makes one after the other, so more are loss or forgery. */
const reportsMax = 16

/** How long after the last line of a report its victim is chosen, and after one victim the next of the same group. */
const spanNs = 5_000_000_000n

/** Where the probe does not tell: a page of x86-64. */
const pageBytesUsual = 4_096

interface OpenReport {
  readonly report: OomReport
  /** Record time of its last line. */
  last: bigint
}

/** One run of the OOM killer: one victim, or all members of a group that has memory.oom.group set. */
interface OomKill {
  readonly task: number | undefined
  readonly victim: number
  readonly incident: string
  told: OutOfMemory | undefined
  /** Record time of its latest victim. */
  last: bigint
  /** The task has done nothing else since. */
  isGoingOn: boolean
}

/**
 * What the kernel's log told of each OOM kill. The lines count that the same task printed which then chose the victim,
 * and only if they name this victim: under bpftrace everything that is written to /dev/kmsg comes as a line, too.
 */
export class OomLog {
  private readonly reports = new Map<number | undefined, OpenReport>()
  private readonly kills = new WeakMap<ProcessEntry, OomKill>()
  private readonly along = new WeakSet<ProcessEntry>()
  private latest: OomKill | undefined
  private pageBytes = pageBytesUsual
  private lastSeq = 0

  follow(record: KernelRecord, { target }: Applied): void {
    if (record.seq !== this.lastSeq + 1) this.forget()
    this.lastSeq = record.seq
    if (record.type === 'start') {
      this.pageBytes = record.page ?? pageBytesUsual
    } else if (record.type === 'log') {
      this.followLine(record)
    } else if (record.type === 'oom') {
      this.followVictim(record, target)
    } else if (this.latest?.isGoingOn === true && 'tid' in record && record.tid === this.latest.task) {
      this.followTask(record, target, this.latest)
    }
  }

  /**
   * What the task does next. Processes that share the victim's memory get SIGKILL right behind it, and the kernel does
   * not name them (__oom_kill_process in mm/oom_kill.c); anything else but an interrupt shows that it has gone on.
   */
  private followTask(record: KernelRecord, target: ProcessEntry | undefined, kill: OomKill): void {
    if (record.type === 'signal' && (record.ctx ?? 0) !== 0) return
    const isAlong = record.type === 'signal' && record.sig === 9 && record.info === 'priv' && record.exiting !== 1
    if (!isAlong || record.time - kill.last > spanNs) {
      kill.isGoingOn = false
    } else if (target !== undefined && !this.kills.has(target)) {
      this.kills.set(target, kill)
      this.along.add(target)
    }
  }

  /** Undefined if the log told nothing that fits. */
  of({ victim }: Ending): OutOfMemory | undefined {
    return this.kills.get(victim)?.told
  }

  /** The same for all victims of one kill, and another for each kill since boot; undefined if the process was none. */
  incidentOf(process: ProcessEntry): string | undefined {
    return this.kills.get(process)?.incident
  }

  /** True if it was killed only because it shares its memory with the one that was chosen. */
  isAlong(process: ProcessEntry): boolean {
    return this.along.has(process)
  }

  /** Records were lost: what comes next may belong to something else than what came before. */
  private forget(): void {
    this.reports.clear()
    if (this.latest !== undefined) this.latest.isGoingOn = false
  }

  private followLine(record: LogRecord): void {
    const { tid, text, time } = record
    const { latest } = this
    if (latest?.isGoingOn === true && latest.task === tid && latest.told === undefined) {
      latest.told = fromKilledLine(text, latest.victim)
    }
    let open = this.reports.get(tid)
    if (open === undefined || time - open.last > spanNs || !open.report.add(text)) {
      open = { report: new OomReport(this.pageBytes), last: time }
      open.report.add(text)
      this.reports.delete(tid)
      this.reports.set(tid, open)
      for (const oldest of this.reports.keys()) {
        if (this.reports.size <= reportsMax) break
        this.reports.delete(oldest)
      }
    }
    open.last = time
  }

  private followVictim(record: OomRecord, target: ProcessEntry | undefined): void {
    const { tid, time, tpid } = record
    const key = this.reports.has(tid) ? tid : undefined
    const open = this.reports.get(key)
    this.reports.delete(key)
    const isReported = open !== undefined && time - open.last <= spanNs && isOf(record, open.report.victim)
    const { latest } = this
    const isSame = latest?.isGoingOn === true && latest.task === tid && time - latest.last < spanNs
    if (isReported || !isSame) {
      this.latest = {
        task: tid,
        victim: tpid,
        incident: `${time}:${tpid}`,
        told: isReported ? open.report.tell(target?.cgroup) : undefined,
        last: time,
        isGoingOn: true,
      }
    } else {
      latest.last = time
    }
    if (target === undefined || this.latest === undefined) return
    this.kills.set(target, this.latest)
    this.along.delete(target)
  }
}

/** The log names a thread: that of the first, or the one that ran out of memory where vm.oom_kill_allocating_task is set. */
function isOf({ pid, tid, tpid }: OomRecord, told: number | undefined): boolean {
  return told !== undefined && (told === tpid || (told === tid && pid === tpid))
}

/** The kernel prints no report if many kills follow each other; behind each there is a line with its kind. */
function fromKilledLine(text: string, victim: number): OutOfMemory | undefined {
  const [, kind, pid] = /^(Memory cgroup out of memory|Out of memory): Killed process (\d{1,10}) \(/.exec(text) ?? []
  if (kind === undefined || Number(pid) !== victim) return undefined
  const scope = kind.startsWith('Memory') ? 'cgroup' : 'unknown'
  return { scope, cgroup: undefined, limitBytes: undefined, consumers: undefined, processBytes: undefined }
}
