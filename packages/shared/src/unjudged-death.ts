import type { DeathEvent, Unstamped } from './event.ts'

/** What a sentence is made of: a death event before its verdict. */
export type UnjudgedDeath = Omit<Unstamped<DeathEvent>, 'verdict'>
