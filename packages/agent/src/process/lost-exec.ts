import type { CurrentProcess } from '../record/record.ts'
import { isSameArgs } from './arguments.ts'
import type { ProcessEntry, Program } from './entry.ts'

/** Whether records were lost between two times, nanoseconds since boot. */
export type LostBetween = (from: bigint, to: bigint) => boolean

/** What a record or /proc tells of a process at one time. */
export type FactsOfNow = CurrentProcess & { readonly args?: readonly string[] }

/** What a process runs instead of what was known of it. */
export interface CorrectedProgram {
  readonly program: Program
  /** False if it was its parent that had run it, and the process was only forked from that. */
  readonly hasExeced: boolean
}

/** Shells (`exec`), and programs that only prepare something for another one; none of them gives itself a name. */
const makesRoom =
  /^(?:(?:ba|da|a|k|mk|z)?sh|env|nice|ionice|chrt|taskset|nohup|setsid|stdbuf|setpriv|chroot|unshare|nsenter|gosu|su-exec)$/

/** How soon a program that only runs another one (`env`, `nice`, `setsid`, `exec` in a script) has done so. */
const handOverNs = 10_000_000_000n

/**
 * The program a process runs by now, where the record of its exec was lost. A process that was seen to be forked and
 * goes by another name than its parent has most likely run a program. One that was seen to run a program may also have
 * given itself another name (prctl(2), PR_SET_NAME): there only another executable counts, or another name where it was a
 * program that runs others in its place. Undefined if nothing speaks for a lost exec.
 * @param at when the facts were true, nanoseconds since boot
 */
export function programAfterLostExec(
  entry: ProcessEntry,
  facts: FactsOfNow,
  at: bigint,
  lostBetween: LostBetween,
): CorrectedProgram | undefined {
  const exe = facts.exe === '' ? undefined : facts.exe
  const comm = facts.tid === undefined || facts.tid === facts.pid ? facts.comm : undefined
  const known = entry.program
  const isOtherFile = exe !== undefined && known.exe !== undefined && exe !== known.exe
  const program: Program = { comm: facts.comm, exe, args: facts.args, argsTruncated: false, user: known.user }
  const isSameFile = exe !== undefined && exe === known.exe
  const isOtherName = comm !== undefined && known.comm !== undefined && comm !== known.comm && !isSameFile
  if (entry.hasExeced) {
    const isOther = isOtherFile || (isOtherName && makesRoom.test(known.comm ?? ''))
    return isOther && wasLostAfterStart(entry, at, lostBetween) ? { program, hasExeced: true } : undefined
  }
  const hasOtherArgs = facts.args !== undefined && known.args !== undefined && !isSameArgs(facts.args, known.args)
  // systemd calls what it forks `(name)` until that runs its program.
  if (comm?.startsWith('(') === true || !(isOtherFile || isOtherName || hasOtherArgs)) return undefined
  if (entry.start !== undefined && lostBetween(entry.start, at)) return { program, hasExeced: true }
  return wasLostAfterStart(ranBy(entry), at, lostBetween) ? { program, hasExeced: false } : undefined
}

/** Who ran the program that a process was forked with: it, or the nearest ancestor that ran one. */
function ranBy(entry: ProcessEntry): ProcessEntry {
  let one = entry
  while (!one.hasExeced && one.parent !== undefined) one = one.parent
  return one
}

function wasLostAfterStart({ execedAt, start }: ProcessEntry, at: bigint, lostBetween: LostBetween): boolean {
  const since = execedAt ?? start
  if (since === undefined) return false
  const until = since + handOverNs
  return lostBetween(since, until < at ? until : at)
}
