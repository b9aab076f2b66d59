import type { CoverageEvent, DeathEvent, SignalEvent, Unstamped } from '@whokilled/shared/event'

interface Keyed {
  /** What makes it this event and no other on its host: the same whenever it is decided again. */
  readonly key: string
}

export type DeathDraft = Unstamped<DeathEvent> & Keyed
export type SignalDraft = Unstamped<SignalEvent> & Keyed
export type CoverageDraft = Unstamped<CoverageEvent> & Keyed

/** A decided event that has no id, host and agent yet. */
export type EventDraft = DeathDraft | SignalDraft | CoverageDraft
