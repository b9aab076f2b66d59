import { isSameTick, type ProcessEntry } from './entry.ts'

/** How many ended processes an ancestry keeps, so that a process that forks itself for ever stays bounded. */
const endedAncestorsMax = 32

/** How far ancestors are followed to see whether a process is its own; a longer line is not believed. */
const generationsMax = 1_024

/**
 * Notes who forked a process, unless that is known. One that is younger, or descends from the process itself, has got
 * the pid since: what told of its end and of the new one's fork was lost.
 */
export function bringUp(entry: ProcessEntry, parent: ProcessEntry): void {
  if (entry.parent !== undefined) return
  if (startsBefore(entry, parent)) return
  let generation = 0
  for (let one: ProcessEntry | undefined = parent; one !== undefined; one = one.parent) {
    generation += 1
    if (one === entry || generation > generationsMax) return
  }
  entry.parent = parent
}

/** To the tick: /proc tells no more. */
function startsBefore({ start }: ProcessEntry, other: ProcessEntry): boolean {
  return start !== undefined && other.start !== undefined && start < other.start && !isSameTick(start, other.start)
}

/** Forgets the ancestors behind the last ended one that is kept. */
export function cutEndedAncestors(entry: ProcessEntry): void {
  let ended = 0
  for (let one = entry.parent; one !== undefined; one = one.parent) {
    if (one.endedAt !== undefined) ended += 1
    if (ended > endedAncestorsMax) one.parent = undefined
  }
}
