import type { Ancestor, Process } from '@whokilled/shared/process'
import type { BootClock } from '../clock.ts'
import { textOf } from '../record/bytes.ts'
import type { ProcessEntry, Program } from './entry.ts'
import { redact } from './redact.ts'

/** What an event's process needs beside the table's entry. */
export interface DescribeOptions {
  readonly clock: BootClock
  /** False to publish arguments as they are. */
  readonly redactArguments: boolean
  readonly userName: (uid: number) => string | undefined
}

/** How many ancestors an event lists. */
const ancestorsMax = 32

/**
 * An entry as an event shows it, with its ancestors.
 * @param program what it ran at the time in question, if that is not what it runs now
 */
export function describeProcess(entry: ProcessEntry, options: DescribeOptions, program = entry.program): Process {
  const ancestors: Ancestor[] = []
  for (let one = entry.parent; one !== undefined && ancestors.length < ancestorsMax; one = one.parent) {
    ancestors.push(describeOne(one, one.program, options))
  }
  return { ...describeOne(entry, program, options), ancestors }
}

function describeOne(entry: ProcessEntry, program: Program, options: DescribeOptions): Ancestor {
  const uid = program.user?.uid ?? entry.uid
  const euid = program.user?.euid ?? entry.euid
  const { args, redacted } = program.args === undefined ? noArguments : shownArguments(program.args, options)
  return {
    id: entry.id,
    pid: entry.pid,
    nsPid: entry.nsPid ?? null,
    ppid: entry.ppid ?? null,
    startedAt: entry.start === undefined ? null : options.clock.timestamp(entry.start),
    comm: textOrNull(program.comm),
    exe: textOrNull(program.exe),
    file: textOrNull(program.file),
    args: args ?? null,
    argsTruncated: program.argsTruncated,
    redacted,
    uid: uid ?? null,
    euid: euid ?? null,
    user: uid === undefined ? null : (options.userName(uid) ?? null),
    loginUid: entry.loginUid ?? null,
    sessionId: entry.sessionId ?? null,
    tty: textOrNull(entry.tty),
    cgroup: textOrNull(entry.cgroup),
    // Its name may be found later: what is told does not change any more.
    container: entry.container === null ? null : { ...entry.container },
  }
}

const noArguments = { args: undefined, redacted: false }

/** A program is told of many times, as somebody's ancestor: what is shown of its arguments is worked out once. */
const shown = new WeakMap<readonly string[], ReturnType<typeof redact>>()

function shownArguments(args: readonly string[], { redactArguments }: DescribeOptions): ReturnType<typeof redact> {
  if (!redactArguments) return { args: args.map(textOf), redacted: false }
  const known = shown.get(args) ?? redact(args.map(textOf))
  shown.set(args, known)
  return known
}

function textOrNull(bytes: string | undefined): string | null {
  return bytes === undefined ? null : textOf(bytes)
}
