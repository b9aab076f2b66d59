import type { ProcessEntry } from '../../process/entry.ts'
import type { OpenRecord } from '../../record/record.ts'
import { isShell } from './shells.ts'
import type { Moment, WallTimes } from './wall-times.ts'

/** Somebody read a pidfile. */
export interface PidfileRead {
  readonly by: ProcessEntry
  /** Nanoseconds since boot. */
  readonly at: bigint
  /** Since when it was seen, by whomever, that the file has this content; at the latest now. */
  readonly seenSince: bigint
  /** A byte string. */
  readonly path: string
  /** The pid it named. */
  readonly number: number
  /** When it was last written; undefined where that is not known. */
  readonly written: Moment | undefined
  /** The same as the file has it: nanoseconds of wall-clock time. */
  readonly writtenAt: bigint | undefined
  /** It was opened for writing, too, as some programs do that want to lock it. */
  readonly isWriting: boolean
  /** The content was not seen: a daemon had written the file, and daemons write their own pid. */
  readonly isInferred: boolean
  /** Who wrote it, if that was seen. */
  readonly write: PidfileWrite | undefined
}

export interface PidfileWrite {
  readonly at: bigint
  readonly nsId: number | undefined
  /** The writer's own pid, as it counts in its namespace; undefined for a shell, which writes those of others. */
  readonly ownPid: number | undefined
}

/** Somebody read a pidfile, and what it named is not known. */
export type UnknownRead = Pick<PidfileRead, 'by' | 'at' | 'path'>

/** Numbers whose readers are remembered, and readers of each: a monitor reads all pidfiles every few seconds. */
const numbersMax = 512
const readsMax = 12

/** Paths whose writers and content are remembered. */
const pathsMax = 2_048

/** Reads of unknown content that are remembered. */
const unknownMax = 64

/** The highest pid there can be (include/linux/threads.h, PID_MAX_LIMIT). */
const pidMax = 4_194_304

interface Content {
  readonly writtenAt: bigint
  readonly number: number
  readonly seenSince: bigint
}

/** Who read which pid from a pidfile, and who wrote those. */
export class PidfileLog {
  private readonly wallTimes: WallTimes
  private readonly reads = new Map<number, readonly PidfileRead[]>()
  private readonly writes = new Map<string, PidfileWrite>()
  private readonly contents = new Map<string, Content>()
  /** Oldest first. */
  readonly unknown: UnknownRead[] = []

  constructor(wallTimes: WallTimes) {
    this.wallTimes = wallTimes
  }

  follow(record: OpenRecord, by: ProcessEntry): void {
    const { mtime, text, time } = record
    const path = flat(record.path)
    const ownPid = by.nsPid ?? by.pid
    const write = this.writes.get(path)
    const isWriting = record.write === 1
    const seen = this.numberIn({ ...record, path })
    const number = seen ?? (text === undefined && !isWriting ? write?.ownPid : undefined)
    const isInferred = seen === undefined
    // Who writes its own pid has not read it.
    if (number !== undefined && !(isWriting && number === ownPid)) {
      const written = isInferred && write !== undefined ? at(write) : mtime && this.wallTimes.moment(mtime)
      const writtenAt = isInferred ? undefined : written && mtime
      const known = this.contents.get(path)
      const seenSince = !isInferred && known !== undefined && known.writtenAt === mtime ? known.seenSince : time
      this.keep({
        by,
        at: time,
        seenSince,
        path,
        number,
        written: written || undefined,
        writtenAt,
        isWriting,
        isInferred,
        write,
      })
    } else if (text === undefined && !isWriting) {
      this.unknown.push({ by, at: time, path })
      if (this.unknown.length > unknownMax) this.unknown.shift()
    }
    if (isWriting) {
      const own = isShell(by.program) ? undefined : ownPid
      put(this.writes, path, { at: time, nsId: by.nsId, ownPid: own }, pathsMax)
    }
  }

  /** Who read this number, oldest first. */
  naming(number: number): readonly PidfileRead[] {
    return this.reads.get(number) ?? []
  }

  /** The pid a file named when it was opened. What the probe did not find in memory, an earlier reader may have told. */
  private numberIn({ path, mtime, text, time }: OpenRecord): number | undefined {
    const known = this.contents.get(path)
    const isUnchanged = known !== undefined && known.writtenAt === mtime
    if (text === undefined) return isUnchanged ? known.number : undefined
    const number = Number(/^\s*(\d{1,7})(?![\d.])/.exec(text)?.[1] ?? 0)
    if (number < 1 || number > pidMax) return undefined
    const seenSince = isUnchanged && known.number === number ? known.seenSince : time
    if (mtime !== undefined) put(this.contents, path, { writtenAt: mtime, number, seenSince }, pathsMax)
    return number
  }

  /** One who reads the same file again and again, or starts a command for it each time, counts once. */
  private keep(read: PidfileRead): void {
    const others = this.naming(read.number).filter((one) => !isRepeated(one, read))
    put(this.reads, read.number, [...others, read].slice(-readsMax), numbersMax)
  }
}

function at(write: PidfileWrite): Moment {
  return { earliest: write.at, latest: write.at }
}

function isRepeated(earlier: PidfileRead, later: PidfileRead): boolean {
  const isSame = earlier.path === later.path && earlier.writtenAt === later.writtenAt
  if (!isSame || earlier.isWriting !== later.isWriting || earlier.write !== later.write) return false
  return earlier.by === later.by || areSiblings(earlier.by, later.by)
}

/** Children of one process in one session; not daemons that have nothing in common but process 1. */
function areSiblings(a: ProcessEntry, b: ProcessEntry): boolean {
  return a.parent !== undefined && a.parent.pid !== 1 && a.parent === b.parent && a.sid === b.sid
}

/** A copy that does not keep the line in memory from which it was cut. */
function flat(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('latin1')
}

/** Puts an entry last in a map, and drops the first ones beyond the limit. */
function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, max: number): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= max) break
    map.delete(oldest)
  }
}
