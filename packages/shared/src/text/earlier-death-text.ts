import { asDeath, type EarlierDeath, earlierDeathOf } from '../earlier-death.ts'
import type { Process } from '../process.ts'
import type { UnjudgedDeath } from '../unjudged-death.ts'
import { millisecondsBetween } from '../vocabulary.ts'
import { instigatorText } from './behalf-text.ts'
import { processName } from './process-name.ts'
import { shortened, terminalText } from './terminal-text.ts'
import { durationText } from './time-text.ts'

/** What a sentence within a sentence is made with. */
export interface Words {
  /** The predicate of a death's sentence. */
  readonly predicate: (death: UnjudgedDeath) => string
  /** A process, as the sentence about that victim names it. */
  readonly name: (process: Process, victim: Process) => string
}

/** `, passing on the end of app (pid 77), which was killed with SIGKILL by …`; empty if it passed on no child's end. */
export function passedOnText(death: UnjudgedDeath, words: Words): string {
  const earlier = earlierDeathOf(death)
  if (earlier?.relation !== 'child') return ''
  return `, passing on the end of ${nameOf(earlier.victim)}, which ${predicateOf(earlier, words)}`
}

/** `, 30 ms after its child app (pid 77, uid 0) was killed with SIGKILL by …`; empty if it had lost none. */
export function lostChildText(death: UnjudgedDeath, words: Words): string {
  const earlier = earlierDeathOf(death)
  if (earlier?.relation !== 'lost-child') return ''
  const ms = millisecondsBetween(earlier.at, death.at)
  const after = ms < 0 ? 'after' : `${durationText(ms)} after`
  return `, ${after} its child ${words.name(earlier.victim, death.victim)} ${predicateOf(earlier, words)}`
}

/** The line `after`: the death of which this one is a consequence. */
export function earlierLine(death: UnjudgedDeath, words: Words): string | undefined {
  const earlier = earlierDeathOf(death)
  if (earlier === undefined) return undefined
  const ms = millisecondsBetween(earlier.at, death.at)
  const before = ms < 0 ? '' : `, ${durationText(ms)} before`
  return `${words.name(earlier.victim, death.victim)} ${predicateOf(earlier, words)}${before}`
}

/** `its parent supervisor (pid 7, uid 0) was killed with SIGKILL by …`: after which a process had asked to be ended. */
export function parentEndText(death: UnjudgedDeath, words: Words): string {
  const earlier = earlierDeathOf(death)
  if (earlier?.relation === 'parent')
    return `its parent ${words.name(earlier.victim, death.victim)} ${predicateOf(earlier, words)}`
  if (death.killer === null) return 'its parent ended'
  return `its parent ${words.name(death.killer, death.victim)} ended, or only the thread of it that had made this process`
}

/** `the first process of its pid namespace (its container), sh (pid 7, uid 0), exited with …`. */
export function firstProcessEndText(death: UnjudgedDeath, words: Words): string {
  const earlier = earlierDeathOf(death)
  const first = 'the first process of its pid namespace (its container)'
  if (earlier?.relation !== 'first-process') return `${first} ended`
  return `${first}, ${words.name(earlier.victim, death.victim)}, ${predicateOf(earlier, words)}`
}

/** Why a terminal hung up on a process, or hung it up without being closed. */
export function hangUpText(death: UnjudgedDeath, words: Words): string {
  const tty = death.victim.tty ? `terminal ${shortened(terminalText(death.victim.tty), 40)}` : 'its terminal'
  const closed = `${death.victim.tty ? 'its ' : ''}${tty} was closed`
  const earlier = earlierDeathOf(death)
  if (earlier === undefined) return closed
  const other = words.name(earlier.victim, death.victim)
  const ended = predicateOf(earlier, words)
  switch (earlier.relation) {
    case 'session-leader':
      return `the leader of its session${death.victim.tty ? ` at ${tty}` : ''}, ${other}, ${ended}`
    case 'job-control':
      return `it was stopped, and ${other}, which alone could have continued it, ${ended}`
    case 'terminal-holder':
      return `${closed} when ${other}, which had held it open, ${ended}`
    default:
      return closed
  }
}

function predicateOf(earlier: EarlierDeath, words: Words): string {
  const death = asDeath(earlier)
  return `${words.predicate(death)}${instigatorText(death)}`
}

function nameOf(process: Process): string {
  return `${processName(process)} (pid ${process.pid})`
}
