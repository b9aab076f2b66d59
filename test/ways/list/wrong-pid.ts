import type { Way } from '../way.ts'

/** A signal that hit another process than it was meant for, and ones that only look like it. */
export const wrongPid: readonly Way[] = []
