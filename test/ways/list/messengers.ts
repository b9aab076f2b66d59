import type { Way } from '../way.ts'

/** Killers that act for somebody else. */
export const messengers: readonly Way[] = []
