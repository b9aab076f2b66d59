import { defaultAction } from '@whokilled/shared/signals'
import type { ProcessEntry } from '../process/entry.ts'
import type { Ending, Finding } from './causes/cause.ts'
import { type End, exitCodeOf, termSignalOf } from './end.ts'
import type { EarlierEnd } from './judged.ts'
import type { Ladder } from './signals/ladder.ts'
import { isByEnding } from './signals/sender.ts'

/** How many ended children are remembered of a process. */
const childrenMax = 4

/** How soon after its child a process ends that passes on how that ended, or fails for it. */
const passedOnNs = 2_000_000_000n

/** How processes ended on which the end of others may depend. The process table bounds how many there are. */
export class EarlierEnds {
  private readonly ends = new WeakMap<ProcessEntry, End>()
  private readonly children = new WeakMap<ProcessEntry, End[]>()

  note(end: End): void {
    const { process, status } = end
    this.ends.set(process, end)
    if (process.parent === undefined || asExitCode(status) === undefined) return
    const siblings = this.children.get(process.parent) ?? []
    this.children.set(process.parent, [...siblings, end].slice(-childrenMax))
  }

  of(process: ProcessEntry | undefined): End | undefined {
    return process === undefined ? undefined : this.ends.get(process)
  }

  /** The child whose end a process passes on: one that had just died of the signal that this one's status names, too. */
  passedOnBy({ victim, at, status = 0 }: Pick<Ending, 'victim' | 'at' | 'status'>): End | undefined {
    const code = asExitCode(status)
    if (code === undefined) return undefined
    return this.children.get(victim)?.findLast((end) => at - end.at <= passedOnNs && asExitCode(end.status) === code)
  }

  /** The child that a signal had ended right before a process exited with an error. */
  lostBy({ victim, at, status = 0 }: Pick<Ending, 'victim' | 'at' | 'status'>): End | undefined {
    if (termSignalOf(status) !== 0 || exitCodeOf(status) === 0) return undefined
    return this.children.get(victim)?.findLast((end) => at - end.at <= passedOnNs && termSignalOf(end.status) !== 0)
  }
}

/** The code by which shells tell of a child that a signal ended: 128 and its number (sh(1)); undefined for other ends. */
export function asExitCode(status: number): number | undefined {
  const number = termSignalOf(status)
  if (number !== 0) return 128 + number
  const code = exitCodeOf(status)
  return code > 128 && code <= 128 + signalMax ? code : undefined
}

const signalMax = 64

/** The earlier end that a death comes from, and how the two belong together. */
export function earlierEndOf(
  ends: EarlierEnds,
  { victim, ladder }: Pick<Ending, 'victim' | 'ladder'>,
  { cause, fatal, passedOn, lost }: Finding,
): { readonly end: End; readonly relation: EarlierEnd['relation'] } | undefined {
  if (passedOn !== undefined) return { end: passedOn, relation: 'child' }
  if (lost !== undefined) return { end: lost, relation: 'lost-child' }
  const end = fatal !== undefined && isByEnding(fatal.record) ? ends.of(fatal.by) : undefined
  if (fatal === undefined || end === undefined || end.process === victim) return undefined
  if (cause === 'pid-namespace-exit') return { end, relation: 'first-process' }
  if (cause === 'parent-death') return { end, relation: 'parent' }
  if (cause !== 'terminal') return undefined
  if (isStopped(ladder)) return { end, relation: 'job-control' }
  const { sid, pid, tty = '' } = fatal.record
  return { end, relation: sid === pid && tty !== '' ? 'session-leader' : 'terminal-holder' }
}

/** Whether the last that came before its end had stopped it. */
function isStopped({ rungs }: Ladder): boolean {
  const { record } = rungs.at(-2) ?? {}
  return record !== undefined && defaultAction(record.sig) === 'stop' && record.disp === 'default'
}
