import { defaultAction } from '@whokilled/shared/signals'
import type { ProcessEntry, Program } from '../../process/entry.ts'
import type { SignalFailedRecord, SignalRecord } from '../../record/record.ts'
import { requests } from './requests.ts'

/** A signal as its target got it. */
export interface Received {
  readonly record: SignalRecord
  /** Who was running when it was made; whether that is the sender, the record tells. */
  readonly by: ProcessEntry | undefined
  /** What that process ran at that moment. */
  readonly program: Program | undefined
  /** How many alike came in a row; the record is the latest. */
  readonly count: number
  /** When the first of them came, nanoseconds since boot. */
  readonly since: bigint
}

/** An attempt to send a signal that the kernel refused. */
export interface Refused {
  readonly record: SignalFailedRecord
  readonly by: ProcessEntry | undefined
  readonly program: Program | undefined
}

/** How many signals, and how many refused attempts, are remembered of one process. */
const rungsMax = 24
const refusedMax = 8

/** The signals that one process got and that could have to do with its end, oldest first. */
export class Ladder {
  readonly rungs: Received[] = []
  readonly refused: Refused[] = []
  /** The first that could not but end the process. */
  fatal: Received | undefined
  /** Its terminal when a hang-up came; at its end it may have none any more. */
  terminal: string | undefined
  /** Set when the OOM killer chose the process: record time. */
  oomAt: bigint | undefined
  /** Set when the kernel killed it along with such a one, whose memory it shares: record time. */
  oomAlongAt: bigint | undefined

  add(record: SignalRecord, by: ProcessEntry | undefined, isSelf: boolean): void {
    if (!canEnd(record, isSelf)) return
    const received: Received = { record, by, program: by?.program, count: 1, since: record.time }
    if (this.fatal === undefined && isFatal(record)) this.fatal = received
    const last = this.rungs.at(-1)
    if (last !== undefined && last !== this.fatal && areAlike(last, received)) {
      this.rungs[this.rungs.length - 1] = { ...received, count: last.count + 1, since: last.since }
      return
    }
    if (this.rungs.length >= rungsMax && !this.makeRoom(record)) return
    this.rungs.push(received)
  }

  /** The oldest goes, never the fatal one; what comes to a process that has one already is not worth it. */
  private makeRoom({ result }: SignalRecord): boolean {
    if (this.fatal !== undefined && result === 'ignored') return false
    const oldest = this.rungs.findIndex((rung) => rung !== this.fatal)
    this.rungs.splice(oldest, 1)
    return true
  }

  refuse(record: SignalFailedRecord, by: ProcessEntry | undefined): void {
    this.refused.push({ record, by, program: by?.program })
    if (this.refused.length > refusedMax) this.refused.shift()
  }
}

/**
 * Leaves out what programs send themselves all the time and handle: preemption, timers, profiling. A Ctrl-C or a
 * hang-up that a program handles comes from a kernel thread, outside of any system call, and does ask it to end.
 */
function canEnd(record: SignalRecord, isSelf: boolean): boolean {
  const action = defaultAction(record.sig)
  if (action === 'ignore' || action === 'continue') return false
  const isTaken = record.disp === 'handler' || record.disp === 'ignore'
  const isRoutine = isSelf || (record.call === 'none' && !requests.has(record.sig))
  return !(isTaken && isRoutine && action === 'terminate')
}

/**
 * Whether the kernel itself ends the process on this signal, whatever the process would like. One that was pending
 * already changes nothing: the first of them counts.
 */
export function isFatal(record: SignalRecord): boolean {
  const action = defaultAction(record.sig)
  if (!isDelivered(record) || (action !== 'terminate' && action !== 'core')) return false
  const isKill = record.sig === 9
  return isKill || (record.disp === 'default' && record.blocked !== 1)
}

/** Whether the signal reached its target; `info-lost`: without its siginfo. */
export function isDelivered({ result }: SignalRecord): boolean {
  return result === undefined || result === 'delivered' || result === 'info-lost'
}

function areAlike(a: Received, b: Received): boolean {
  return (
    a.by === b.by &&
    a.record.sig === b.record.sig &&
    a.record.result === b.record.result &&
    a.record.disp === b.record.disp &&
    a.record.call === b.record.call
  )
}
