import { z } from 'zod'
import { openEnum, timestamp } from './vocabulary.ts'

/** Why a host was not watched for a time, or not completely; docs/coverage.md tells of each. */
export const gapCauses = [
  'agent-stopped',
  'agent-killed',
  'host-restarted',
  'host-suspended',
  'clock-set',
  'probe-ended',
  'records-lost',
  'hits-skipped',
  'events-dropped',
  'just-begun',
] as const
export type GapCause = (typeof gapCauses)[number]

/** In a death event: a gap that its verdict had to reckon with. */
export const GapEvidence = z.looseObject({
  at: timestamp,
  kind: z.literal('gap'),
  from: timestamp,
  to: timestamp,
  why: openEnum(gapCauses),
  /** For people. */
  reason: z.string(),
  /** 0: nobody was watching at all. */
  lostRecords: z.int().nonnegative(),
})
export type GapEvidence = z.infer<typeof GapEvidence>

/** The gaps among a death's evidence, as far as this version can read them. */
export function gapsAmong(evidence: readonly object[]): GapEvidence[] {
  return evidence.flatMap((one) => {
    const { success, data } = GapEvidence.safeParse(one)
    return success ? [data] : []
  })
}
