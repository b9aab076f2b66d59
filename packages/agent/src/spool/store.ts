import type { SpoolError } from '../errors.ts'
import type { Head } from './head.ts'
import type { EventKey } from './key.ts'
import { faultOf, hasRoomForLog, type Level, openError } from './level.ts'
import { type Loaded, load } from './load.ts'

export interface StoreOptions {
  readonly folder: string
  /** It was damaged, and what was done about it; or it cannot be opened yet. */
  readonly onTrouble: (trouble: SpoolError) => void
  /** What the spool knows to be in it. */
  readonly known: () => Head
  /** Events that are still there though they were published or refused. */
  readonly isGone: (key: EventKey) => boolean
  readonly onOpened: (loaded: Loaded) => void
  /** After a failure. */
  readonly onReopened: () => void
}

/**
 * The store below the spool. After a failure it is opened anew, and repaired where it was damaged, before it is used
 * again; so whatever uses it does so one after the other.
 */
export class Store {
  private readonly options: StoreOptions
  /** Undefined until it could be opened. */
  private level: Level | undefined
  private mustReopen = true
  private isDamaged = false
  /** How often it had to be repaired since something could be read. */
  private damages = 0
  private reopenedAtMs = Number.NEGATIVE_INFINITY
  private isClosed = false

  constructor(options: StoreOptions) {
    this.options = options
  }

  /** Rejects where somebody has to change something. A disk that is full or fails is tried again until it works. */
  async open(): Promise<void> {
    const { folder, onTrouble } = this.options
    try {
      this.opened(await load({ folder, onTrouble }))
    } catch (error) {
      if (faultOf(error) !== 'disk') throw error
      onTrouble(error as SpoolError)
    }
  }

  /** Changes it; false if the disk refuses that. The caller goes on, and tells of what is lost. */
  async change(work: (level: Level) => Promise<void>): Promise<boolean> {
    try {
      await work(this.mustReopen || this.level === undefined ? await this.reopen() : this.level)
      return true
    } catch (error) {
      this.failed(error)
      return false
    }
  }

  /** Reads from it, which also works where a change was refused. Rejects where it does not. */
  async read<T>(work: (level: Level) => Promise<T>): Promise<T> {
    const level = this.level?.status !== 'open' || this.isDamaged ? await this.reopen() : this.level
    try {
      const found = await work(level)
      this.damages = 0
      return found
    } catch (error) {
      this.failed(error)
      throw openError(this.options.folder, error)
    }
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.level?.close()
  }

  private failed(error: unknown): void {
    this.mustReopen = true
    if (faultOf(error) === 'damaged') this.isDamaged = true
  }

  private async reopen(): Promise<Level> {
    const { folder, known, isGone, onReopened, onTrouble } = this.options
    const nowMs = performance.now()
    if (this.isClosed || nowMs - this.reopenedAtMs < reopenMsMin || !(await hasRoomForLog(folder))) {
      throw openError(folder, new Error('a write to it failed, and its disk is still full'))
    }
    this.reopenedAtMs = nowMs
    if (this.isDamaged) this.damages += 1
    const skipTries = this.isDamaged ? Math.min(this.damages, 2) : 0
    const before = this.level && { known: known(), isGone }
    await this.level?.close()
    this.opened(await load({ folder, ...before, skipTries, onTrouble }))
    onReopened()
    return this.level as Level
  }

  private opened(loaded: Loaded): void {
    this.level = loaded.level
    this.mustReopen = false
    this.isDamaged = false
    this.options.onOpened(loaded)
  }
}

/** A store that fails again and again is opened anew once in this time. */
const reopenMsMin = 1_000
