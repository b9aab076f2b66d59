/**
 * The kernel facts a probe reports, as parsed from one line each (docs/line-protocol.md).
 * Times are nanoseconds since boot as bigint; what a probe could not learn is undefined.
 */

/** The process that was running when the record was made. */
export interface RecordedProcess {
  readonly pid?: number
  readonly tid?: number
  readonly ppid?: number
  /** Start of the process, nanoseconds since boot. */
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
