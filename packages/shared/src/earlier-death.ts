import { z } from 'zod'
import { causes, Exit, Instigator, Oom, SentSignal, Service } from './event.ts'
import { Process } from './process.ts'
import type { UnjudgedDeath } from './unjudged-death.ts'
import { openEnum, timestamp } from './vocabulary.ts'

/**
 * How the one that ended before belongs to the one that died: `child`: whose end it only passes on. `lost-child`:
 * after whose end it exited with an error. `parent`: after which
 * it had asked to be ended. `first-process`: of its pid namespace. `session-leader`: of its session at the terminal.
 * `terminal-holder`: who held the other side of its terminal. `job-control`: who alone could have continued it.
 */
export const earlierRelations = [
  'child',
  'lost-child',
  'parent',
  'first-process',
  'session-leader',
  'terminal-holder',
  'job-control',
] as const

/** In a death event: an earlier death, of which this one is a consequence. */
export const EarlierDeath = z.looseObject({
  at: timestamp,
  kind: z.literal('earlier-death'),
  relation: openEnum(earlierRelations),
  victim: Process,
  service: Service,
  exit: Exit,
  cause: openEnum(causes),
  signal: SentSignal.nullable(),
  killer: Process.nullable(),
  behalf: Instigator.nullable(),
  oom: Oom.nullable(),
})
export type EarlierDeath = z.infer<typeof EarlierDeath>

/** The earlier death among a death's evidence, as far as this version can read it. */
export function earlierDeathOf({ evidence }: Pick<UnjudgedDeath, 'evidence'>): EarlierDeath | undefined {
  for (const one of evidence) {
    if (one.kind !== 'earlier-death') continue
    const { success, data } = EarlierDeath.safeParse(one)
    if (success) return data
  }
  return undefined
}

/** An earlier death as a death of its own, with nothing before it. */
export function asDeath({
  at,
  victim,
  service,
  exit,
  cause,
  signal,
  killer,
  behalf,
  oom,
}: EarlierDeath): UnjudgedDeath {
  const told = { at, victim, service, exit, cause, signal, killer, behalf, oom }
  const coverage = { watchedSince: at, lostRecords: 0 }
  return { type: 'death', ...told, signals: [], wrongPid: null, incidentId: null, evidence: [], coverage }
}
