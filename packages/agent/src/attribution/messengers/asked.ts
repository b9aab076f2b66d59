import type { ProgramStart } from '../recent-programs.ts'
import type { Act, Step } from './messenger.ts'

/** How long a command may wait for what it asked for: a password, other units that stop first. */
const waitNs = 600_000_000_000n

/** How soon after the end of a command that did not wait the daemon acts. */
const afterEndNs = 2_000_000_000n

/**
 * The commands that were running when the actor began to act, or had ended without an error just before, the latest
 * first. One that failed has moved nobody.
 */
export function* commandsAt({ lately, at }: Pick<Act, 'lately' | 'at'>): Generator<ProgramStart> {
  for (const start of lately.between(at - waitNs, at)) {
    const { endedAt } = start.process
    const isRunning = endedAt === undefined || endedAt >= at
    if (isRunning || (start.status === 0 && at - (endedAt ?? at) <= afterEndNs)) yield start
  }
}

/** How far back a command that was missed could still be the one. */
const lookBackNs = 10_000_000_000n

/** Whether a command may have been missed: then one that does not say for itself that it was the one must not be named. */
export function mayHaveMissedOne({ deed, lostBetween, at }: Pick<Act, 'deed' | 'lostBetween' | 'at'>): boolean {
  return lostBetween(at - lookBackNs, at) || deed.ending.gapsBetween(at - lookBackNs, at).length > 0
}

/** That somebody had run a command which asks a daemon to act. */
export function commandStep(
  start: ProgramStart,
  step: Pick<Step, 'rule' | 'confidence' | 'reason' | 'alternatives'>,
): Step {
  return { kind: 'process', name: ['`', { command: start }, '`'], actor: start, at: start.at, isRequest: true, ...step }
}

/** Says less where a command may have been missed. */
export function unlessMissed(step: Step, act: Pick<Act, 'deed' | 'lostBetween' | 'at'>): Step {
  if (!mayHaveMissedOne(act)) return step
  return { ...step, confidence: 'possible', alternatives: [...(step.alternatives ?? []), missed] }
}

const missed = 'another command may have asked for it, which was not seen'
