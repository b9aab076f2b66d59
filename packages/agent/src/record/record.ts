/**
 * The kernel facts a probe reports, each parsed from one line (docs/line-protocol.md).
 * Times are nanoseconds since boot. Strings are byte strings: one character a byte, 0 to 255.
 * What a probe could not learn is undefined.
 */
export type KernelRecord =
  | StartRecord
  | ExecRecord
  | ArgsRecord
  | ForkRecord
  | ExitRecord
  | SignalRecord
  | SignalFailedRecord
  | OomRecord
  | OpenRecord
  | LogRecord
  | HeartbeatRecord
  | StopRecord
  | OtherRecord

interface EveryRecord {
  /** Counted by the probe from 1 without holes. */
  readonly seq: number
  readonly time: bigint
  /** Fields this version does not know, as they stood in the line. */
  readonly extra?: Readonly<Record<string, string>>
}

/** The process that was running when the record was made. */
export interface CurrentProcess {
  readonly pid?: number
  readonly tid?: number
  readonly ppid?: number
  readonly start?: bigint
  readonly uid?: number
  readonly euid?: number
  readonly luid?: number
  readonly ses?: number
  readonly sid?: number
  readonly pgrp?: number
  readonly tty?: string
  readonly nspid?: number
  readonly nsid?: number
  readonly comm?: string
  readonly exe?: string
  readonly cgroup?: string
}

/** The three clocks, read together. */
export interface Clocks {
  readonly real: bigint
  readonly mono: bigint
  readonly boot: bigint
}

export interface StartRecord extends EveryRecord, Clocks {
  readonly type: 'start'
  readonly v: number
  readonly probe: string
  readonly version?: string
  readonly release?: string
  /** Bytes of a page of memory. */
  readonly page?: number
}

export interface ExecRecord extends EveryRecord, CurrentProcess {
  readonly type: 'exec'
  readonly pid: number
  readonly oldtid?: number
  readonly file?: string
  readonly interp?: string
  /** Bytes of all arguments together. */
  readonly argn?: number
  readonly argv?: string
}

/** More of the arguments of the exec before it. */
export interface ArgsRecord extends EveryRecord {
  readonly type: 'args'
  readonly pid: number
  readonly start?: bigint
  readonly at: number
  readonly argv: string
}

export interface ForkRecord extends EveryRecord {
  readonly type: 'fork'
  readonly pid: number
  readonly start?: bigint
  readonly nspid?: number
  readonly nsid?: number
  readonly ppid: number
  readonly ptid?: number
  readonly pstart?: bigint
}

export interface ExitRecord extends EveryRecord, CurrentProcess {
  readonly type: 'exit'
  readonly pid: number
  /** Wait status. */
  readonly code: number
  /** The seccomp mode it ran in: 0 none, 1 strict, 2 filter. */
  readonly seccomp?: number
}

export interface SignalRecord extends EveryRecord, CurrentProcess {
  readonly type: 'signal'
  readonly sig: number
  readonly code?: number
  readonly info?: string
  readonly group?: number
  readonly result?: string
  readonly call?: string
  readonly arg?: number
  readonly ctx?: number
  readonly exiting?: number
  readonly tpid?: number
  readonly ttid?: number
  readonly tppid?: number
  readonly tstart?: bigint
  readonly tuid?: number
  readonly tnspid?: number
  readonly tnsid?: number
  readonly tcomm?: string
  readonly tcgroup?: string
  readonly disp?: string
  readonly blocked?: number
  readonly sipid?: number
  readonly siuid?: number
}

export interface SignalFailedRecord extends EveryRecord, CurrentProcess {
  readonly type: 'signal-failed'
  readonly call: string
  readonly sig?: number
  readonly arg?: number
  readonly err: number
}

export interface OomRecord extends EveryRecord, CurrentProcess {
  readonly type: 'oom'
  readonly tpid: number
  readonly tstart?: bigint
  readonly tcomm?: string
}

/** A file whose name ends with `.pid` was opened. */
export interface OpenRecord extends EveryRecord, CurrentProcess {
  readonly type: 'open'
  readonly pid: number
  readonly path: string
  /** 1 if it can be written through this opening. */
  readonly write?: number
  /** When its content was last changed, nanoseconds of wall-clock time. */
  readonly mtime?: bigint
  /** The first bytes of its content. */
  readonly text?: string
}

/** A line of the kernel's own log that tells of an OOM kill, or a piece of one. */
export interface LogRecord extends EveryRecord, Pick<CurrentProcess, 'pid' | 'tid' | 'start'> {
  readonly type: 'log'
  readonly text: string
}

/** The tracer's own counters since its start. */
interface Counters {
  readonly skipped?: number
  readonly reentrant?: number
  readonly errors?: number
  readonly lost?: number
}

export interface HeartbeatRecord extends EveryRecord, Clocks, Counters {
  readonly type: 'heartbeat'
}

export interface StopRecord extends EveryRecord, Clocks, Counters {
  readonly type: 'stop'
}

/** A type that is reserved, or newer than this program. Its fields are in `extra`. */
export interface OtherRecord extends EveryRecord {
  readonly type: 'other'
  readonly name: string
}
