import { SpoolError } from '../errors.ts'
import { type Inspected, type InspectOptions, inspect } from './inspect.ts'
import { faultOf, foldersAside, type Level, openError, openLevel, repairLevel, setAside } from './level.ts'
import { forgetOpening, noteOpening } from './opening-note.ts'

/** A spool that is open, and what is in it. */
export interface Loaded extends Inspected {
  readonly level: Level
}

export interface LoadOptions extends Omit<InspectOptions, 'wasDamaged'> {
  /** It failed to be read: 1 do not try it as it is; 2 nor to repair it, which has been done. */
  readonly skipTries?: number
  /** It was damaged, and what was done about it. */
  readonly onTrouble: (trouble: SpoolError) => void
}

/**
 * Opens the store and counts what is in it. A damaged one is repaired; one that cannot be, or that ended the process that
 * opened it too often, is moved aside, and an empty one takes its place. What was in it and is no more is a loss.
 */
export async function load(options: LoadOptions): Promise<Loaded> {
  const { folder } = options
  try {
    const movedTo = (await noteOpening(folder)) ? undefined : await moveAside(folder)
    try {
      return await tryToLoad(options, movedTo)
    } catch (error) {
      await forgetOpening(folder).catch(() => undefined)
      throw error
    }
  } catch (error) {
    throw error instanceof SpoolError ? error : openError(folder, error)
  }
}

/** @param movedTo where the former store is, which ended the process that opened it */
async function tryToLoad(options: LoadOptions, movedTo: string | undefined): Promise<Loaded> {
  const { folder, onTrouble } = options
  const tries: (() => Promise<string | undefined>)[] = [
    async () => undefined,
    () => repairLevel(folder),
    () => moveAside(folder),
  ]
  tries.splice(0, options.skipTries ?? 0)
  for (;;) {
    const prepare = tries.shift()
    let level: Level | undefined
    try {
      const aside = await prepare?.()
      level = await openLevel(folder)
      const wasRepaired = tries.length < 2
      // An empty one, too, that a former process put in its place and had no time to tell of.
      const wasDamaged = wasRepaired || (await foldersAside(folder)).length > 0
      const inspected = await inspect(level, { ...options, wasDamaged })
      if (movedTo !== undefined) onTrouble(damagedError(folder, 'fatal', movedTo))
      if (wasRepaired) onTrouble(damagedError(folder, tries.length === 0 ? 'moved' : 'repaired', aside))
      if (inspected.head.next - inspected.first >= mappedEventsMax) {
        // All tables were read, and LevelDB keeps 64 of them mapped until they are closed.
        await level.close()
        level = await openLevel(folder)
      }
      await forgetOpening(folder)
      return { ...inspected, level }
    } catch (error) {
      await level?.close().catch(() => undefined)
      if (faultOf(error) !== 'damaged' || tries.length === 0 || error instanceof SpoolError) throw error
    }
  }
}

/** The empty one that takes its place is noted in its turn. */
async function moveAside(folder: string): Promise<string> {
  const aside = await setAside(folder, folder)
  await forgetOpening(aside)
  await noteOpening(folder)
  return aside
}

/** A spool with so many is opened anew after it was counted. */
const mappedEventsMax = 10_000

const damageTexts = {
  repaired: ['found it damaged: it was repaired', 'what could not be read'],
  moved: ['found it damaged: it could not be repaired', 'it'],
  fatal: ['but opening it ended the agent three times in a row', 'it'],
} as const

function damagedError(folder: string, what: keyof typeof damageTexts, aside: string | undefined): SpoolError {
  const [text, part] = damageTexts[what]
  const kept = aside === undefined ? '' : `; ${part} is now ${aside}`
  return new SpoolError(
    'spool-damaged',
    `expected the spool ${folder} as it was written, ${text}${kept}`,
    'What waited in it and could not be read is lost, and told as a gap. Check the disk; delete what was moved when it is of no use.',
  )
}
