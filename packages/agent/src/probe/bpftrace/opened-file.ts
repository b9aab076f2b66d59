import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { lookUpExe, seesAllPids } from '../../process/proc-scan.ts'

/** A file that a process has opened a moment ago, as the probe saw it. */
export interface OpenedFile {
  /** Byte string, from the root of the process. */
  readonly path: string
  readonly pid: number
  readonly start: bigint
  /** Whether the root of the process is the probe's own. */
  readonly hasOwnRoot: boolean
  readonly inode: bigint
  readonly size: bigint
  /** Which file system it is in (linux/magic.h). */
  readonly fileSystem: number
  /** Nanoseconds of wall-clock time. */
  readonly openedAt: bigint
}

/** What the probe cannot tell of it; a fact that could not be learnt is left out. */
export interface FileContent {
  readonly mtime?: bigint
  readonly text?: string
}

/**
 * Local file systems, where reading a few bytes does not wait for another machine or program: tmpfs, ramfs, ext4, xfs,
 * btrfs, overlay, f2fs, zfs, bcachefs. A file elsewhere is not looked at.
 */
const localFileSystems = new Set([
  0x01021994, 0x858458f6, 0xef53, 0x58465342, 0x9123683e, 0x794c7630, 0xf2f52010, 0x2fc12fc1, 0xca451a4e,
])

const textBytesMax = 32

/** The kernel stamps files with the time of its last tick, which comes at least every 10 ms. */
const tickNs = 10_000_000n

/** A program that opens them all the time must not keep the agent busy. */
const readingsPerSecondMax = 1_000
const textsKeptMax = 256

/**
 * Reads what the probe itself cannot: when the content of an opened file was last changed, and its first bytes. That
 * happens milliseconds later, so both are told only if the file is the same one and has not been touched since the
 * opening, nor in the last 10 ms before it.
 */
export class OpenedFiles {
  /** Files not looked at, since too many were opened within a second. */
  skipped = 0
  private readonly canSeeRoots: boolean
  private readonly texts = new Map<string, string>()
  private second = 0n
  private readings = 0

  constructor(canSeeRoots = seesAllPids()) {
    this.canSeeRoots = canSeeRoots
  }

  /** Never throws. Looks and reads at once, without waiting for writers of a FIFO that may be there by now. */
  contentOf(file: OpenedFile): FileContent {
    if (!localFileSystems.has(file.fileSystem)) return {}
    const isKnownEmpty = file.size === 0n ? { text: '' } : {}
    if (this.isTooOften(file.openedAt)) return isKnownEmpty
    try {
      return { ...isKnownEmpty, ...this.read(file) }
    } catch {
      return isKnownEmpty
    }
  }

  private read(file: OpenedFile): FileContent {
    const path = this.pathHere(file)
    if (path === undefined) return {}
    const seen = lstatSync(path, { bigint: true })
    if (!isStill(file, seen)) return {}
    // Another agent on this host sees this one open the file, and the other way round: each reads it once.
    const key = `${seen.dev} ${seen.ino} ${seen.ctimeNs} ${seen.size}`
    const text = this.texts.get(key) ?? textOf(path, file)
    if (text === undefined || !this.isStillThere(file)) return {}
    this.keep(key, text)
    return { mtime: seen.mtimeNs, text }
  }

  private pathHere({ path, pid, hasOwnRoot }: OpenedFile): Buffer | undefined {
    if (hasOwnRoot) return Buffer.from(path, 'latin1')
    return this.canSeeRoots ? Buffer.from(`/proc/${pid}/root${path}`, 'latin1') : undefined
  }

  /** Where the path began at the root of a process: that it was this one. */
  private isStillThere({ hasOwnRoot, pid, start }: OpenedFile): boolean {
    return hasOwnRoot || lookUpExe(pid, start) !== undefined
  }

  private keep(key: string, text: string): void {
    this.texts.set(key, text)
    for (const oldest of this.texts.keys()) {
      if (this.texts.size <= textsKeptMax) break
      this.texts.delete(oldest)
    }
  }

  private isTooOften(at: bigint): boolean {
    const second = at / 1_000_000_000n
    if (second !== this.second) this.readings = 0
    this.second = second
    this.readings += 1
    if (this.readings > readingsPerSecondMax) this.skipped += 1
    return this.readings > readingsPerSecondMax
  }
}

interface Seen {
  readonly ino: bigint
  readonly size: bigint
  readonly ctimeNs: bigint
  readonly mtimeNs: bigint
  isFile(): boolean
}

/** Every change of content, and every other file put in its place under the same number, has a later ctime. */
function isStill({ inode, size, openedAt }: OpenedFile, seen: Seen): boolean {
  const touched = seen.ctimeNs > seen.mtimeNs ? seen.ctimeNs : seen.mtimeNs
  return seen.isFile() && seen.ino === inode && seen.size === size && touched < openedAt - tickNs
}

function textOf(path: Buffer, file: OpenedFile): string | undefined {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW, O_NOCTTY } = constants
  const opened = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
  try {
    if (!isStill(file, fstatSync(opened, { bigint: true }))) return undefined
    const bytes = Buffer.alloc(textBytesMax)
    const read = readSync(opened, bytes, 0, textBytesMax, 0)
    // Once more: it may have been written between the two.
    return isStill(file, fstatSync(opened, { bigint: true })) ? bytes.toString('latin1', 0, read) : undefined
  } finally {
    closeSync(opened)
  }
}
