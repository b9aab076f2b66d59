import type { Way } from '../way.ts'

/** Victims and killers in namespaces and containers. */
export const namespaces: readonly Way[] = []
