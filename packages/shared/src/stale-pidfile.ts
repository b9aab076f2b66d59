import { z } from 'zod'
import { openEnum, timestamp } from './vocabulary.ts'

/** In a death event: a pidfile that the killer went by and that is older than the victim. */
export const StalePidfileEvidence = z.looseObject({
  /** When it was read. */
  at: timestamp,
  kind: z.literal('stale-pidfile'),
  path: z.string(),
  /** The pid in it, as it counts for who read it. */
  pid: z.int().positive(),
  writtenAt: timestamp.nullable(),
  /** How sure it is that the killer had the pid from there. */
  confidence: openEnum(['certain', 'likely', 'possible']),
})
export type StalePidfileEvidence = z.infer<typeof StalePidfileEvidence>

/** The pidfile among a death's evidence, as far as this version can read it. */
export function stalePidfileAmong(evidence: readonly object[]): StalePidfileEvidence | undefined {
  for (const one of evidence) {
    const { success, data } = StalePidfileEvidence.safeParse(one)
    if (success) return data
  }
  return undefined
}
