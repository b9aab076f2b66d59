import type { Container } from '@whokilled/shared/process'
import { containerOf } from './cgroup.ts'
import { type ProcessEntry, processEntry, processId } from './entry.ts'

/** Who held a pid before. Times are nanoseconds since boot. */
export interface FormerOwner {
  /** As the process table had it, without its ancestors. */
  readonly process: ProcessEntry
  readonly pid: number
  readonly start: bigint
  /** When it ended; if that was not seen, it had ended by then. */
  readonly endedAt: bigint
  readonly isEndSeen: boolean
  /** Which process forked it; both undefined if that is not known. */
  readonly parentPid: number | undefined
  readonly parentStart: bigint | undefined
  /** Whether its parent went on to fork others while it ran: a shell that waits for a command does not. */
  readonly inBackground: boolean
}

/** A process that lived as long is a service or a worker, or a command that somebody may remember. */
const lastingNs = 1_000_000_000n

/** Whether it lived long enough to be remembered by somebody. */
export function isLasting({ start, endedAt }: Pick<FormerOwner, 'start' | 'endedAt'>): boolean {
  return endedAt - start >= lastingNs
}

/**
 * A process that has ended, as one flat string, which takes half the room of an object with these fields and keeps
 * nothing else in memory. Undefined if its start is not known: nothing could be said of when it had the pid.
 */
export function pack(entry: ProcessEntry, isEndSeen: boolean): string | undefined {
  const { pid, start, endedAt, parent, program, nsPid, nsId, tty, cgroup, uid, euid, loginUid, sessionId } = entry
  if (start === undefined || endedAt === undefined) return undefined
  const inBackground = parent !== undefined && entry.birth > 0 && parent.children > entry.birth
  const args = program.args === undefined ? undefined : shortArgs(program.args)
  const isCut = program.argsTruncated || (args?.length ?? 0) < (program.args?.length ?? 0)
  const marks = (isEndSeen ? 1 : 0) | (inBackground ? 2 : 0) | (args === undefined ? 0 : 4) | (isCut ? 8 : 0)
  const inner = nsPid === pid ? [undefined, undefined] : [nsPid, nsId]
  const numbers = [pid, start, endedAt, parent?.pid, parent?.start, marks, ...inner, uid, euid, loginUid, sessionId]
  const texts = [program.comm, program.exe, tty, cgroup, ...(args ?? [])]
  // No text of a process can hold a NUL, the kernel ends it there.
  return [...numbers.map((number) => number?.toString(36)), ...texts].join('\0')
}

/** @param containerIn the container of a cgroup; by default what its path tells, without a name */
export function unpack(
  packed: string,
  bootId: string,
  containerIn: (cgroup: string) => Container | null = containerOf,
): FormerOwner {
  const fields = packed.split('\0')
  const [, , , , , , nsPid, nsId, uid, euid, loginUid, sessionId] = fields.slice(0, numbersCount).map(numberIn)
  const [comm, exe, tty, cgroup, ...args] = fields
    .slice(numbersCount)
    .map((text, at) => (at < 4 && text === '' ? undefined : text))
  const { pid, start, endedAt } = livesOf(packed)
  const parentPid = numberIn(fields[3] ?? '')
  const marks = numberIn(fields[5] ?? '') ?? 0
  const process = processEntry({
    id: processId(bootId, start, pid),
    pid,
    start,
    ppid: parentPid,
    program: {
      comm,
      exe,
      args: (marks & 4) === 0 ? undefined : args.map((arg) => arg ?? ''),
      argsTruncated: (marks & 8) !== 0,
    },
    nsPid: nsPid ?? pid,
    nsId,
    uid,
    euid,
    loginUid,
    sessionId,
    tty,
    cgroup,
    container: cgroup === undefined ? null : containerIn(cgroup),
    endedAt,
  })
  return {
    process,
    pid,
    start,
    endedAt,
    isEndSeen: (marks & 1) !== 0,
    parentPid,
    parentStart: bigIn(fields[4] ?? ''),
    inBackground: (marks & 2) !== 0,
  }
}

/** The part of it that is asked for most. */
export function livesOf(packed: string): Pick<FormerOwner, 'pid' | 'start' | 'endedAt'> {
  const [pid = '', start = '', endedAt = ''] = packed.split('\0', 3)
  return { pid: numberIn(pid) ?? 0, start: bigIn(start) ?? 0n, endedAt: bigIn(endedAt) ?? 0n }
}

/** By which numbers it was known: its pid, and the one in its own pid namespace, if that is another. */
export function numbersOf(packed: string): { pid: number; nsPid: number | undefined; nsId: number | undefined } {
  const [pid = '', , , , , , nsPid = '', nsId = ''] = packed.split('\0', 8)
  return { pid: numberIn(pid) ?? 0, nsPid: numberIn(nsPid), nsId: numberIn(nsId) }
}

/** How many of the fields in front are numbers, written to base 36. */
const numbersCount = 12

/** Bytes of arguments that are kept; cut between two of them, so that no half of a secret is left. */
const argsBytesMax = 512

function shortArgs(args: readonly string[]): readonly string[] {
  let bytes = 0
  const beyond = args.findIndex((arg) => {
    bytes += arg.length + 1
    return bytes > argsBytesMax
  })
  return beyond < 0 ? args : args.slice(0, beyond)
}

function numberIn(text: string): number | undefined {
  return text === '' ? undefined : Number.parseInt(text, 36)
}

function bigIn(text: string): bigint | undefined {
  if (text === '') return undefined
  let value = 0n
  for (const digit of text) value = value * 36n + BigInt(Number.parseInt(digit, 36))
  return value
}
