import type { Container } from '@whokilled/shared/process'
import type {
  ArgsRecord,
  CurrentProcess,
  ExecRecord,
  ForkRecord,
  KernelRecord,
  SignalRecord,
} from '../record/record.ts'
import { argumentsOf } from './arguments.ts'
import type { NamedContainer } from './containers/container-name.ts'
import { KnownContainers } from './containers/known-containers.ts'
import { type ProcessEntry, processEntry, processId, programWith, unknownProgram } from './entry.ts'
import { learn, moveTo } from './learn.ts'
import { type FactsOfNow, type LostBetween, programAfterLostExec } from './lost-exec.ts'
import { bringUp, cutEndedAncestors } from './parentage.ts'
import { isStartOf, type ScannedProcess, startOfScanned } from './proc-scan.ts'

export interface TableCounters {
  /** Ended processes forgotten because `endedMax` others had ended since. */
  forgotten: number
  /** Processes whose fork was not seen and that had to be made from another record. */
  inferred: number
}

/** The processes a record was about. */
export interface Applied {
  /** The one that acted. */
  readonly process?: ProcessEntry | undefined
  /** The one a signal is for. */
  readonly target?: ProcessEntry | undefined
  /** True if the record ended the process; false if it had ended before. */
  readonly ended?: boolean
}

export interface TableOptions {
  readonly bootId: string
  /** How many ended processes are remembered. */
  readonly endedMax?: number
  /** Looks a process up in /proc; left out where there is none (a recording). */
  readonly lookUp?: (pid: number) => ScannedProcess | undefined
  /** Reads the executable's path in /proc, for probes that do not tell it; asked right after exec. */
  readonly exeOf?: (pid: number, start: bigint | undefined) => string | undefined
  /** Reads the cgroup in /proc, for probes that see only the root of one; asked right after exec. */
  readonly cgroupOf?: (pid: number, start: bigint | undefined) => string | undefined
  /** Reads what the runtime calls a container; asked when a container is first seen. */
  readonly containerNameOf?: (container: Container) => NamedContainer | undefined
  /** Whether records were lost between two times; left out: none. */
  readonly lostBetween?: LostBetween
  /** Told of each process that ends, and whether its end was seen. */
  readonly onEnd?: (entry: ProcessEntry, isSeen: boolean) => void
}

/**
 * Who is who: every life of a pid that records or /proc told of. Ended processes are remembered for a while,
 * since what they did is asked about after they ended. Knows no clock and no file.
 */
export class ProcessTable {
  readonly containers: KnownContainers
  readonly counters: TableCounters = { forgotten: 0, inferred: 0 }
  private readonly bootId: string
  private readonly endedMax: number
  private readonly lookUp: (pid: number) => ScannedProcess | undefined
  private readonly exeOf: NonNullable<TableOptions['exeOf']>
  private readonly cgroupOf: NonNullable<TableOptions['cgroupOf']>
  private readonly lostBetween: LostBetween
  private readonly onEnd: NonNullable<TableOptions['onEnd']>
  private readonly alive = new Map<number, ProcessEntry>()
  private readonly byId = new Map<string, ProcessEntry>()
  private readonly ended = new Set<ProcessEntry>()
  /** Processes whose exec told of more arguments than it held; the rest follows at once. */
  private readonly unfinished = new Map<ProcessEntry, { argv: string; argn: number }>()

  constructor(options: TableOptions) {
    this.bootId = options.bootId
    this.endedMax = options.endedMax ?? 16_384
    this.lookUp = options.lookUp ?? (() => undefined)
    this.exeOf = options.exeOf ?? (() => undefined)
    this.cgroupOf = options.cgroupOf ?? (() => undefined)
    this.containers = new KnownContainers(options.containerNameOf)
    this.lostBetween = options.lostBetween ?? (() => false)
    this.onEnd = options.onEnd ?? (() => undefined)
  }

  get size(): number {
    return this.byId.size
  }

  /** The processes that are alive as far as is known. */
  living(): Iterable<ProcessEntry> {
    return this.alive.values()
  }

  /** The process with this pid that started then; without a start, the one that holds the pid now. */
  find(pid: number, start?: bigint): ProcessEntry | undefined {
    const holder = this.alive.get(pid)
    if (start === undefined) return holder
    const id = processId(this.bootId, start, pid)
    if (holder === undefined || holder.id === id) return holder ?? this.byId.get(id)
    if (holder.start === undefined) return this.adopt(holder, start, id)
    return this.byId.get(id)
  }

  /**
   * The process that now has this number in a pid namespace. Of one in a namespace further inside only the number
   * there is known, not the one that it has here.
   * @param nsId inode of the namespace; undefined: not known, taken for the first one
   */
  meant(pid: number, nsId: number | undefined): ProcessEntry | undefined {
    const holder = this.alive.get(pid)
    if (nsId === undefined || (holder?.nsId === nsId && (holder.nsPid ?? pid) === pid)) return holder
    for (const one of this.alive.values()) if (one.nsId === nsId && one.nsPid === pid) return one
    return undefined
  }

  /** Learns what a record tells of processes. An exit ends its process; the entry stays for a while. */
  apply(record: KernelRecord): Applied {
    switch (record.type) {
      case 'fork':
        return { process: this.fork(record) }
      case 'exec':
        return { process: this.exec(record) }
      case 'args':
        return { process: this.moreArgs(record) }
      case 'exit': {
        const process = this.current(record)
        return { process, ended: this.end(process, record.time, true) }
      }
      case 'signal':
        return { process: runsInTask(record) ? this.current(record) : undefined, target: this.target(record) }
      case 'signal-failed':
      case 'open':
        return { process: this.current(record) }
      case 'oom':
        return { target: this.find(record.tpid, record.tstart) }
      default:
        return {}
    }
  }

  /**
   * Adds what a scan of /proc found, and returns the processes that were alive here and that it did not find.
   * @param at when /proc was read, nanoseconds since boot
   */
  reconcile(scan: readonly ScannedProcess[], at?: bigint): ProcessEntry[] {
    const found = new Set<ProcessEntry>()
    for (const process of scan) found.add(this.seed(process, at))
    for (const process of scan) this.linkParent(process)
    return [...this.alive.values()].filter((entry) => !found.has(entry))
  }

  /**
   * Marks a process as ended; a second end of the same process changes nothing and returns false.
   * @param isSeen false: that it has ended by then is all that is known
   */
  end(entry: ProcessEntry | undefined, at: bigint, isSeen = false): boolean {
    if (entry === undefined || entry.endedAt !== undefined) return false
    entry.endedAt = at
    this.onEnd(entry, isSeen)
    this.unfinished.delete(entry)
    if (this.alive.get(entry.pid) === entry) this.alive.delete(entry.pid)
    this.ended.add(entry)
    for (const oldest of this.ended) {
      if (this.ended.size <= this.endedMax) break
      this.ended.delete(oldest)
      if (this.byId.get(oldest.id) === oldest) this.byId.delete(oldest.id)
      this.counters.forgotten += 1
    }
    return true
  }

  /**
   * Takes back a process of this boot that an earlier run of the agent knew and that a scan did not find: a record may
   * still tell of its end. Who has its pid by now keeps it.
   */
  recall(entry: ProcessEntry): void {
    this.byId.set(entry.id, entry)
    if (!this.alive.has(entry.pid)) this.alive.set(entry.pid, entry)
  }

  /** A probe told of a process without its start, and now a record of the process itself tells it. */
  private adopt(entry: ProcessEntry, start: bigint, id: string): ProcessEntry {
    this.byId.delete(entry.id)
    entry.start = start
    entry.id = id
    this.byId.set(id, entry)
    return entry
  }

  private fork(record: ForkRecord): ProcessEntry {
    const known = this.find(record.pid, record.start)
    const parent = this.find(record.ppid, record.pstart) ?? this.infer(record.ppid, record.pstart)
    if (known !== undefined && (record.start !== undefined || startedAbout(known, record.time))) {
      bringUp(known, parent)
      return known
    }
    const child = this.add(record.pid, record.start, {
      parent,
      ppid: record.ppid,
      program: parent.program,
      hasExeced: false,
      nsPid: record.nspid,
      nsId: record.nsid,
      seeded: false,
    })
    const { uid, euid, loginUid, sessionId, sid, tty, cgroup, container } = parent
    Object.assign(child, { uid, euid, loginUid, sessionId, sid, tty, cgroup, container })
    parent.children += 1
    child.birth = parent.children
    cutEndedAncestors(child)
    return child
  }

  private exec(record: ExecRecord): ProcessEntry | undefined {
    const entry = this.current(record)
    if (entry === undefined) return undefined
    const cgroup = (record.cgroup ?? '/') === '/' ? this.cgroupOf(record.pid, entry.start) : undefined
    if (cgroup !== undefined) moveTo(entry, cgroup, this.containers)
    this.containers.retry(entry.container)
    entry.hasExeced = true
    entry.execedAt = record.time
    const { args, argsTruncated } = argumentsOf(
      record.argv ?? '',
      record.argv === undefined ? undefined : (record.argn ?? record.argv.length),
    )
    entry.program = {
      comm: record.comm,
      exe: record.exe ?? this.exeOf(record.pid, entry.start),
      file: record.file,
      args,
      argsTruncated,
      user: entry.program.user,
    }
    this.unfinished.delete(entry)
    if (record.argv !== undefined && record.argn !== undefined && record.argv.length < record.argn) {
      this.unfinished.set(entry, { argv: record.argv, argn: record.argn })
    }
    return entry
  }

  private moreArgs(record: ArgsRecord): ProcessEntry | undefined {
    const entry = this.find(record.pid, record.start)
    const begun = entry === undefined ? undefined : this.unfinished.get(entry)
    if (entry === undefined || begun === undefined || begun.argv.length !== record.at) return entry
    const argv = begun.argv + record.argv
    entry.program = programWith(entry.program, argumentsOf(argv, begun.argn))
    if (argv.length < begun.argn) this.unfinished.set(entry, { argv, argn: begun.argn })
    else this.unfinished.delete(entry)
    return entry
  }

  /** The entry of the process that a record was made in, brought up to date. */
  private current(record: CurrentProcess & { readonly time: bigint }): ProcessEntry | undefined {
    if (record.pid === undefined) return undefined
    const entry = this.find(record.pid, record.start) ?? this.infer(record.pid, record.start)
    this.correct(entry, record, record.time)
    learn(entry, record, this.containers)
    this.findParent(entry, record.ppid)
    return entry
  }

  /** The record of its exec may have been lost; what it ran before must not be named for it. */
  private correct(entry: ProcessEntry, facts: FactsOfNow, at: bigint): void {
    const corrected = programAfterLostExec(entry, facts, at, this.lostBetween)
    if (corrected === undefined) return
    Object.assign(entry, corrected)
    entry.execedAt = undefined
    this.unfinished.delete(entry)
  }

  /** A process whose fork was not seen is a child of the one that its records name. */
  private findParent(entry: ProcessEntry, ppid: number | undefined): void {
    if (entry.parent !== undefined || ppid === undefined) return
    const parent = this.alive.get(ppid)
    if (parent !== undefined) bringUp(entry, parent)
  }

  private target(record: SignalRecord): ProcessEntry | undefined {
    const { tpid, tstart } = record
    // bpftrace cannot look a target up from the idle task, where timers run out: then the thread's id alone is told.
    if (tpid === undefined) return record.ttid === undefined ? undefined : this.alive.get(record.ttid)
    const entry = this.find(tpid, tstart) ?? this.infer(tpid, tstart)
    const { ttid: tid, tcomm: comm } = record
    this.correct(
      entry,
      { pid: tpid, ...(tid !== undefined && { tid }), ...(comm !== undefined && { comm }) },
      record.time,
    )
    entry.uid ??= record.tuid
    entry.ppid ??= record.tppid
    entry.nsPid ??= record.tnspid
    entry.nsId ??= record.tnsid
    this.findParent(entry, record.tppid)
    if (record.tcgroup !== undefined) moveTo(entry, record.tcgroup, this.containers)
    if (entry.program.comm === undefined && record.tcomm !== undefined) {
      entry.program = programWith(entry.program, { comm: record.tcomm })
    }
    return entry
  }

  /** A process that was never heard of: from /proc if it is still there, else with nothing but its pid. */
  private infer(pid: number, start: bigint | undefined): ProcessEntry {
    this.counters.inferred += 1
    const scanned = this.lookUp(pid)
    if (scanned !== undefined && (start === undefined || isStartOf(scanned, start))) {
      const entry = this.seed(scanned)
      this.linkParent(scanned)
      return entry
    }
    return this.add(pid, start, {})
  }

  private seed(scanned: ScannedProcess, at?: bigint): ProcessEntry {
    const start = startOfScanned(scanned)
    const entry =
      this.find(scanned.pid, start) ??
      this.add(scanned.pid, start, {
        parent: undefined,
        ppid: scanned.ppid,
        program: programWith(unknownProgram, { comm: scanned.comm, exe: scanned.exe, args: scanned.args }),
        hasExeced: true,
        seeded: true,
      })
    if (at !== undefined) this.correct(entry, scanned, at)
    learn(entry, scanned, this.containers)
    return entry
  }

  private linkParent(scanned: ScannedProcess): void {
    const entry = this.find(scanned.pid, startOfScanned(scanned))
    if (entry !== undefined) this.findParent(entry, scanned.ppid)
  }

  private add(pid: number, start: bigint | undefined, facts: Partial<ProcessEntry>): ProcessEntry {
    const entry = processEntry({ ...facts, id: processId(this.bootId, start, pid), pid, start })
    const holder = this.alive.get(pid)
    if (holder !== undefined) this.end(holder, start ?? holder.start ?? 0n)
    this.alive.set(pid, entry)
    this.byId.set(entry.id, entry)
    return entry
  }
}

/** A fork without a start is that of a known process if that one started just before it. */
function startedAbout(entry: ProcessEntry, at: bigint): boolean {
  return entry.start !== undefined && at - entry.start < 50_000_000n && entry.start - at < 50_000_000n
}

/** Whether the record's process is the one that acted, and not one that an interrupt happened to hit. */
export function runsInTask(record: SignalRecord): boolean {
  return (record.ctx ?? 0) === 0
}
