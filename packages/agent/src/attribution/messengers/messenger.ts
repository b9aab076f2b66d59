import type { Actor, Deed, Instigation } from '../judged.ts'
import type { RecentPrograms } from '../recent-programs.ts'

/** Who acted, and what is known around it. */
export interface Act {
  readonly actor: Actor
  /** The steps already taken from the killer to this actor, nearest first. */
  readonly steps: readonly Instigation[]
  readonly deed: Deed
  /** When the signal was sent, nanoseconds since boot. */
  readonly at: bigint
  readonly lately: RecentPrograms
}

/** One who acts for others: tells who stands behind an act, or undefined if this rule does not know this actor. */
export type Messenger = (act: Act) => Instigation | undefined
