import type { Way } from '../way.ts'

/** Ended by itself or by the kernel. */
export const selfAndKernel: readonly Way[] = []
