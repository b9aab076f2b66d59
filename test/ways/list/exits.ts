import type { Way } from '../way.ts'

/** Ended with nobody behind it. */
export const exits: readonly Way[] = []
