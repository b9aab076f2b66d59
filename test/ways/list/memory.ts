import type { Way } from '../way.ts'

/** Ended by the OOM killer. */
export const memory: readonly Way[] = []
