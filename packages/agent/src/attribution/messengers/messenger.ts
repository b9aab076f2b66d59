import type { ProcessEntry } from '../../process/entry.ts'
import type { Actor, Deed, Instigation, NamePart } from '../judged.ts'
import type { OomKill } from '../oom/recent-oom-kills.ts'
import type { RecentPrograms } from '../recent-programs.ts'
import type { Ladder } from '../signals/ladder.ts'

/** What is known beside the deed itself. */
export interface Known {
  /** Programs by which people ask daemons to act. */
  readonly lately: RecentPrograms
  /** The signals that a process got; undefined if there were none. */
  readonly ladderOf: (process: ProcessEntry) => Ladder | undefined
  /** Whether records were lost between two times, nanoseconds since boot. */
  readonly lostBetween: (from: bigint, to: bigint) => boolean
  /** What the OOM killer has ended lately, the latest first. */
  readonly oomKills: () => Iterable<OomKill>
}

/** Who acted, and what is known around it. */
export interface Act extends Known {
  readonly actor: Actor
  /** When the actor began to act, nanoseconds since boot: a supervisor asks before it kills. */
  readonly at: bigint
  /** The signal that the killer sent first. */
  readonly signal: number
  /** The steps already taken from the killer to this actor, nearest first. */
  readonly steps: readonly Step[]
  readonly deed: Deed
}

/** One step from somebody who acted to who stands behind. */
export interface Step {
  readonly kind: Instigation['kind']
  readonly name: readonly NamePart[]
  /** Who stands behind, and what they ran when they acted; undefined if that is no process. */
  readonly actor: Actor | undefined
  readonly rule: string
  readonly confidence: Instigation['confidence']
  readonly reason: string
  readonly alternatives?: readonly string[]
  /** When that one acted, if earlier: nanoseconds since boot. */
  readonly at?: bigint
  /** True if the name is what was asked for: who asked is told behind it. */
  readonly isRequest?: boolean
  /** True if the one before gives time to end before it kills. */
  readonly givesTime?: boolean
}

/** One who acts for others: tells who stands behind an act, or undefined if this rule does not know this actor. */
export type Messenger = (act: Act) => Step | undefined
