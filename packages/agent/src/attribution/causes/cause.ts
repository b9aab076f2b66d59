import type { DeathEvent } from '@whokilled/shared/event'
import type { ProcessEntry } from '../../process/entry.ts'
import type { End } from '../end.ts'
import type { Gap } from '../loss-log.ts'
import { forgedSenderOf } from '../signals/forged-sender.ts'
import type { Ladder, Received } from '../signals/ladder.ts'

/** All that is known when a process has ended. */
export interface Ending {
  readonly victim: ProcessEntry
  /** When, nanoseconds since boot; of a process that vanished: when it was missed. */
  readonly at: bigint
  /** Its wait status; undefined if its end was not seen. */
  readonly status: number | undefined
  /** The mode of seccomp(2) it ended in: 0 none, 1 strict, 2 filter; undefined if that was not seen. */
  readonly seccomp?: number | undefined
  readonly ladder: Ladder
  /** A child that had just ended as its status tells: it may only pass that on. */
  readonly passedOn?: End | undefined
  /** A child that a signal had just ended before it exited with an error, and that it had not killed itself. */
  readonly lost?: End | undefined
  /** Of a process that vanished: when it was last known to be there. */
  readonly aliveAt?: bigint | undefined
  /** What may have hidden a record of the victim between two times, nanoseconds since boot, oldest first. */
  readonly gapsBetween: (from: bigint, to: bigint) => readonly Gap[]
  /** How long the host has been awake from then until the end, nanoseconds: nobody takes time while it sleeps. */
  readonly awakeSince: (time: bigint) => bigint
}

/** Why it ended, with what speaks for it. */
export interface Finding {
  readonly cause: DeathEvent['cause']
  /** The signal that ended it; undefined if it was none, or not seen. */
  readonly fatal: Received | undefined
  readonly confidence: 'certain' | 'likely' | 'possible'
  readonly reasons: readonly string[]
  readonly alternatives: readonly string[]
  /** The gaps that make it weaker. */
  readonly gaps?: readonly Gap[]
  /** The child whose end it only passed on. */
  readonly passedOn?: End | undefined
  /** The child whose end it may have failed for. */
  readonly lost?: End | undefined
}

/** One way to end. Answers undefined if it was not this one. */
export type CauseRule = (ending: Ending) => Finding | undefined

/** How long an orderly stop may take: systemd gives a service 90 s (DefaultTimeoutStopSec). */
export const stopTimeNs = 90_000_000_000n

/** How long before the fatal signal a lost record could still have changed the answer. */
const beforeSignalNs = 1_000_000_000n

/** A finding that rests on a signal and an end that were both seen: certain, unless records are missing there. */
export function seenBoth(ending: Ending, fatal: Received, cause: Finding['cause'], what: string): Finding {
  // What was sent before the watching began did not end it: a process that is dying takes no second signal, or only
  // for the moment that it takes to die (kernels before 5.17).
  const gaps = ending
    .gapsBetween(fatal.record.time - beforeSignalNs, ending.at)
    .filter(({ lost, to }) => lost > 0 || to > fatal.record.time)
  const claimed = forgedText(fatal)
  if (gaps.length === 0) {
    return {
      cause,
      fatal,
      confidence: 'certain',
      reasons: [what, ...claimed, 'no records were lost'],
      alternatives: [],
    }
  }
  return {
    cause,
    fatal,
    confidence: 'likely',
    reasons: [what, ...claimed, ...doubtsOf(gaps, 'around that time')],
    alternatives: ['another signal may have come first, in a lost record'],
    gaps,
  }
}

/** That a signal claimed to come from somebody else than who was seen sending it. */
export function forgedText(fatal: Received): string[] {
  const claimed = forgedSenderOf(fatal)
  return claimed === undefined ? [] : [`the signal claimed to come from process ${claimed.pid}, which is not so`]
}

/**
 * What gaps leave open, for the reasons of a verdict: `3 records were lost before it`.
 * @param where `before it`, `in between`, …
 */
export function doubtsOf(gaps: readonly Gap[], where: string): string[] {
  const lost = gaps.reduce((sum, gap) => sum + gap.lost, 0)
  const unwatched = gaps.filter((gap) => gap.lost === 0).map((gap) => unwatchedText(gap, where))
  const count = lost === 0 ? [] : [`${lost} ${lost === 1 ? 'record was' : 'records were'} lost ${where}`]
  return [...count, ...new Set(unwatched)]
}

function unwatchedText({ why, reason }: Gap, where: string): string {
  return why === 'just-begun' ? 'the watching had only just begun' : `nobody was watching ${where}: ${reason}`
}
