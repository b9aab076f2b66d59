import { signalName } from '@whokilled/shared/signals'
import type { ProcessEntry, Program } from '../../process/entry.ts'
import { areRelated } from '../../process/family.ts'
import type { Applied } from '../../process/table.ts'
import type { SignalRecord } from '../../record/record.ts'
import { requests } from '../signals/requests.ts'
import { senderOf } from '../signals/sender.ts'
import type { Aim, Suspicion } from './aim.ts'
import { earlier, programOf } from './words.ts'

/** Somebody asked a process to end, by its number. */
interface Sent {
  readonly by: ProcessEntry
  readonly at: bigint
  readonly sig: number
  readonly targetPid: number
  readonly targetStart: bigint
  readonly program: Program
}

/** Numbers to which signals are remembered, and signals to each. */
const numbersMax = 1_024
const sentMax = 4

/** How long somebody who asked a process to end may wait before sending a stronger signal. */
const patienceNs = 900_000_000_000n

const endRequests: ReadonlySet<number> = new Set([...requests, 6, 9])

/** Who asked which pid to end: who sends another signal to the same number means the same process. */
export class SentSignals {
  private readonly sent = new Map<number, readonly Sent[]>()

  follow(record: SignalRecord, { process, target }: Applied): void {
    if (!endRequests.has(record.sig) || process === undefined || target?.start === undefined || process === target)
      return
    const { arg } = record
    if (arg === undefined || arg <= 0) return
    const received = { record, by: process, program: process.program, count: 1, since: record.time }
    const { via } = senderOf(received, target)
    if (via !== 'kill' && via !== 'sigqueue' && via !== 'tgkill' && via !== 'tkill') return
    const one = {
      by: process,
      at: record.time,
      sig: record.sig,
      targetPid: target.pid,
      targetStart: target.start,
      program: target.program,
    }
    const others = this.to(arg).filter(
      (other) => other.by !== process || other.targetPid !== target.pid || other.targetStart !== target.start,
    )
    this.sent.delete(arg)
    this.sent.set(arg, [...others, one].slice(-sentMax))
    for (const oldest of this.sent.keys()) {
      if (this.sent.size <= numbersMax) break
      this.sent.delete(oldest)
    }
  }

  /** The killer, or a relative, had asked the former owner to end before, by the same number: an escalation gone wrong. */
  escalation(aim: Aim): Suspicion | undefined {
    const { killer, victimStart, at, number } = aim
    if (aim.isRaised || aim.isHeld || killer.process.pid === 1) return undefined
    const first = this.to(number).findLast(
      (sent) =>
        sent.at < victimStart &&
        sent.by.nsId === killer.process.nsId &&
        (sent.by === killer.process || (at - sent.at <= patienceNs && areRelated(sent.by, killer.process))),
    )
    if (first === undefined) return undefined
    const owner = aim.owners.find((one) => one.pid === first.targetPid && one.start === first.targetStart)
    if (owner === undefined) return undefined
    const who = first.by === killer.process ? 'the killer' : `${programOf(first.by.program)} (pid ${first.by.pid})`
    return {
      owner,
      knownAt: first.at,
      confidence: 'likely',
      pidfile: undefined,
      whenLookedUp: 'less',
      reason: `${who} had sent ${signalName(first.sig)} to ${programOf(first.program)}, which had pid ${number} then, ${earlier(first.at, at)}`,
    }
  }

  private to(number: number): readonly Sent[] {
    return this.sent.get(number) ?? []
  }
}
