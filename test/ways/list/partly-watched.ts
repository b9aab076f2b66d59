import type { Way } from '../way.ts'

/** Deaths of which a part was not watched. */
export const partlyWatched: readonly Way[] = []
