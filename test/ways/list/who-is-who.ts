import type { Way } from '../way.ts'

/** Killers and victims that are hard to name. */
export const whoIsWho: readonly Way[] = []
