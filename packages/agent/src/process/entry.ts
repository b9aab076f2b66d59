import type { Container } from '@whokilled/shared/process'

/**
 * The program a process runs, and as whom. Replaced as a whole when anything of it changes, so a reference keeps what
 * it was.
 */
export interface Program {
  readonly comm: string | undefined
  readonly exe: string | undefined
  /** What exec was asked to run, as it was written: a path that may be relative, a link or a script's. */
  readonly file?: string | undefined
  /** The arguments as far as they are known, byte strings. */
  readonly args: readonly string[] | undefined
  readonly argsTruncated: boolean
  /** Real and effective user; undefined as long as nothing told of them. */
  readonly user?: { readonly uid: number | undefined; readonly euid: number | undefined } | undefined
}

/** One life of a pid, as the process table keeps it. Strings are byte strings, times nanoseconds since boot. */
export interface ProcessEntry {
  /** `<bootId>:<start ticks>:<pid>` */
  id: string
  readonly pid: number
  start: bigint | undefined
  /** The process that forked it; it stays so when that one ends. */
  parent: ProcessEntry | undefined
  ppid: number | undefined
  program: Program
  /** False while it still runs the program it was forked with. */
  hasExeced: boolean
  /** When it began to run its program; undefined if that was not seen. */
  execedAt: bigint | undefined
  /** How many processes it was seen to fork. */
  children: number
  /** Which of its parent's children it is, counted from 1; 0 if its fork was not seen. */
  birth: number
  nsPid: number | undefined
  nsId: number | undefined
  uid: number | undefined
  euid: number | undefined
  loginUid: number | undefined
  /** The audit session. */
  sessionId: number | undefined
  /** The session of setsid(2): the pid of its first process. */
  sid: number | undefined
  tty: string | undefined
  cgroup: string | undefined
  container: Container | null
  endedAt: bigint | undefined
  /** True if it was there before the watching began. */
  readonly seeded: boolean
}

/**
 * A process of which no more is known than what is given. All fields are named here, in one order: a host has tens of
 * thousands of these, and what is put together out of other objects gets a description of its fields of its own.
 */
export function processEntry(known: Pick<ProcessEntry, 'id' | 'pid' | 'start'> & Partial<ProcessEntry>): ProcessEntry {
  return {
    id: known.id,
    pid: known.pid,
    start: known.start,
    parent: known.parent,
    ppid: known.ppid,
    program: known.program ?? unknownProgram,
    hasExeced: known.hasExeced ?? true,
    execedAt: known.execedAt,
    children: known.children ?? 0,
    birth: known.birth ?? 0,
    nsPid: known.nsPid,
    nsId: known.nsId,
    uid: known.uid,
    euid: known.euid,
    loginUid: known.loginUid,
    sessionId: known.sessionId,
    sid: known.sid,
    tty: known.tty,
    cgroup: known.cgroup,
    container: known.container ?? null,
    endedAt: known.endedAt,
    seeded: known.seeded ?? false,
  }
}

/** The program with what has become known of it; all fields are named, as in `processEntry`. */
export function programWith(program: Program, known: Partial<Program>): Program {
  return {
    comm: known.comm ?? program.comm,
    exe: known.exe ?? program.exe,
    file: known.file ?? program.file,
    args: known.args ?? program.args,
    argsTruncated: known.argsTruncated ?? program.argsTruncated,
    user: known.user ?? program.user,
  }
}

export const unknownProgram: Program = {
  comm: undefined,
  exe: undefined,
  file: undefined,
  args: undefined,
  argsTruncated: false,
  user: undefined,
}

/** Clock ticks of /proc/PID/stat are hundredths of a second on every Linux with USER_HZ = 100. */
const tickNs = 10_000_000n

/** The id of one life of a pid; without a known start the middle is empty. */
export function processId(bootId: string, start: bigint | undefined, pid: number): string {
  return `${bootId}:${start === undefined ? '' : start / tickNs}:${pid}`
}

/** Whether a start in nanoseconds is the one given in clock ticks. */
export function isInTick(start: bigint, ticks: bigint): boolean {
  return start / tickNs === ticks
}

/** Whether two starts in nanoseconds are in the same clock tick. */
export function isSameTick(a: bigint, b: bigint): boolean {
  return a / tickNs === b / tickNs
}

/** Nanoseconds since boot of a start given in clock ticks. */
export function startOfTicks(ticks: bigint): bigint {
  return ticks * tickNs
}
