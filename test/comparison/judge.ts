import { defaultAction } from '@whokilled/shared/signals'

/** What a tool told in the time of one way, in the terms that all have in common. */
export interface Answer {
  /** A process is said to have sent a signal to a process, and the tool does not say that it failed. */
  readonly claims: readonly Claim[]
  /** A process is said to have ended. `killer` null: nobody, for this cause; undefined: the tool does not say. */
  readonly deaths: readonly Death[]
}

export interface Claim {
  readonly sender: number
  /** The sender's name shows everybody that it is the kernel itself. */
  readonly byKernel?: boolean
  /** As the tool prints it: for a call that names no process (a group, a thread, a descriptor) no process has it. */
  readonly target: number
  readonly signal: number
}

export interface Death {
  readonly pid: number
  readonly killer?: number | null
  readonly cause: string
  /** It also names for whom the killer acted, by which rule. */
  readonly behalf?: string
  /** It also names the process that the signal was meant for. */
  readonly wrongPid?: number
}

/** What really happened to a victim. */
export interface Truth {
  readonly victim: number
  /** How many had ended with its number before, where that was given away again. */
  readonly after?: number
  /** The process that ended it; null if that was the kernel or nobody. */
  readonly killer: number | null
  readonly cause: string
  readonly behalf?: string
  readonly wrongPid?: number
}

/**
 * - `right`: it names the process that ended the victim, and no other; where nobody did, it says what it was
 * - `partly`: it tells of a signal, or of the end, but not who ended this victim, or the right one among others
 * - `wrong`: it names others only
 * - `nothing`
 */
export type Mark = 'right' | 'partly' | 'wrong' | 'nothing'

/** Judges one tool's answer about one victim. */
export function judge(truth: Truth, { claims, deaths }: Answer): Mark {
  const death = deathOf(truth, deaths)
  if (death?.killer !== undefined) {
    if (death.killer === truth.killer) return truth.killer !== null || death.cause === truth.cause ? 'right' : 'partly'
    if (death.killer !== null) return 'wrong'
  }
  const toVictim = decisive(claims.filter(({ target, signal }) => target === truth.victim && canEnd(signal)))
  const others = new Set(toVictim.map(({ sender }) => sender).filter((sender) => sender !== truth.victim))
  const bySelf = toVictim.some(({ sender }) => sender === truth.victim)
  if (truth.killer === null || truth.killer === truth.victim) {
    const isExcused = endsWithAnother.has(truth.cause) || toVictim.every(({ byKernel }) => byKernel === true)
    if (others.size > 0) return isExcused ? 'partly' : 'wrong'
    if (death?.cause === truth.cause || (bySelf && truth.cause === 'self')) return 'right'
    return death !== undefined || bySelf ? 'partly' : 'nothing'
  }
  if (others.has(truth.killer)) return others.size === 1 ? 'right' : 'partly'
  if (others.size > 0) return 'wrong'
  const hasActed = claims.some(({ sender, signal }) => sender === truth.killer && canEnd(signal))
  return hasActed || bySelf || death !== undefined ? 'partly' : 'nothing'
}

/** The death of a victim, and not of another that had its number before. */
function deathOf({ victim, after = 0 }: Truth, deaths: readonly Death[]): Death | undefined {
  const all = deaths.filter(({ pid }) => pid === victim)
  return all[after] ?? all.at(-1)
}

/** A way with several victims: as good as all of them, wrong if one is. */
export function together(marks: readonly Mark[]): Mark {
  const [first = 'nothing'] = marks
  if (marks.includes('wrong')) return 'wrong'
  return marks.every((mark) => mark === first) ? first : 'partly'
}

/** Causes where the kernel makes the signal because another process ends or closes: to name that one is not wrong. */
const endsWithAnother = new Set(['parent-death', 'pid-namespace-exit', 'terminal'])

/** Nobody who sees a SIGKILL asks about the SIGTERM before it. */
function decisive(claims: readonly Claim[]): readonly Claim[] {
  const kills = claims.filter(({ signal }) => signal === 9)
  return kills.length > 0 ? kills : claims
}

function canEnd(signal: number): boolean {
  return signal > 0 && ['terminate', 'core'].includes(defaultAction(signal))
}
