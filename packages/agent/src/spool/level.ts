import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { SpoolError } from '../errors.ts'

/** The store below the spool. */
export type Level = ClassicLevel<string, string>

/**
 * LevelDB's memory: two write buffers, a cache of blocks, and up to 64 tables (its minimum) that are mapped and may be
 * resident as far as they were read.
 */
const memory = {
  writeBufferSize: 1_048_576,
  cacheSize: 1_048_576,
  maxOpenFiles: 74,
  maxFileSize: 1_048_576,
} as const

export async function openLevel(folder: string): Promise<Level> {
  const level: Level = new ClassicLevel(folder, memory)
  await level.open()
  return level
}

/** A change of one key. */
export type Op =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string }

/** Writes all of these or none. A chained batch takes a fourth of the time of an array. */
export async function writeOps(level: Level, ops: Iterable<Op>, { sync }: { sync: boolean }): Promise<void> {
  const batch = level.batch()
  for (const op of ops) {
    if (op.type === 'put') batch.put(op.key, op.value)
    else batch.del(op.key)
  }
  await batch.write({ sync })
}

export function put(key: string, value: string): Op {
  return { type: 'put', key, value }
}

export function del(key: string): Op {
  return { type: 'del', key }
}

/**
 * What is wrong where LevelDB fails: `locked` another process has it open; `disk` full, failing or read-only, which may
 * pass; `damaged` the files are not what was written; `unusable` somebody has to change something.
 */
export type Fault = 'locked' | 'disk' | 'damaged' | 'unusable'

export function faultOf(error: unknown): Fault {
  const inner = innermost(error)
  const { code = '', message } = inner as Error & { code?: string }
  if (inner instanceof TypeError || inner instanceof RangeError) return 'unusable'
  if (code === 'LEVEL_LOCKED') return 'locked'
  if (diskTexts.test(message) || diskCodes.has(code)) return 'disk'
  if (placeTexts.test(message) || placeCodes.has(code)) return 'unusable'
  return code === 'LEVEL_DATABASE_NOT_OPEN' ? 'disk' : 'damaged'
}

const diskTexts =
  /No space left|Input\/output error|Read-only file system|quota exceeded|Too many open files|still full/i
const diskCodes = new Set(['ENOSPC', 'EIO', 'EROFS', 'EDQUOT', 'EMFILE', 'ENFILE'])
const placeTexts = /Permission denied|Not a directory|Operation not permitted|name too long|symbolic links/i
const placeCodes = new Set(['EACCES', 'ENOTDIR', 'EEXIST', 'EPERM', 'ENAMETOOLONG', 'ELOOP'])

/**
 * Makes a damaged store one that opens, with what of it can be read. What LevelDB sets aside in doing so (its subfolder
 * `lost`) is moved beside the spool.
 * @returns where that is; undefined if nothing was
 */
export async function repairLevel(folder: string): Promise<string | undefined> {
  await ClassicLevel.repair(folder)
  const lost = join(folder, 'lost')
  const hasLost = await stat(lost).then(
    () => true,
    () => false,
  )
  return hasLost ? await setAside(lost, folder) : undefined
}

/** How many damaged spools are kept beside the spool; the oldest beyond are deleted. */
const asideMax = 3

/**
 * Moves a folder beside the spool, for people to look at.
 * @returns where to: `spool.damaged-20261122T194042123Z`
 */
export async function setAside(from: string, folder: string): Promise<string> {
  const to = `${folder}${asideMark}${new Date().toISOString().replace(/[-:.]/g, '')}`
  await rename(from, to)
  for (const old of (await foldersAside(folder)).slice(0, -asideMax)) await rm(old, { recursive: true, force: true })
  return to
}

/** What was moved beside the spool, oldest first. */
export async function foldersAside(folder: string): Promise<string[]> {
  const names = (await readdir(dirname(folder))).filter((name) => name.startsWith(`${basename(folder)}${asideMark}`))
  return names.sort().map((name) => join(dirname(folder), name))
}

const asideMark = '.damaged-'

/** What LevelDB needs beside a second copy of its log to start. */
const startBytes = 65_536

/** At its start LevelDB writes what is in its log into a table, and begins a new log. */
export async function hasRoomForLog(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true })
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(folder, name))).size))
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize >= sizes.reduce((sum, size) => sum + size, startBytes)
}

/** The same for the log and for people. */
export function openError(folder: string, cause: unknown): SpoolError {
  const { message } = innermost(cause)
  if (faultOf(cause) === 'locked') {
    return new SpoolError(
      'spool-locked',
      `expected the spool ${folder} to be free, another process has it open`,
      'Another agent runs on this host with the same state folder: stop it, or give this one a "stateFolder" of its own.',
      { cause },
    )
  }
  return new SpoolError(
    'spool-unusable',
    `expected to open the spool ${folder}: ${message}`,
    'Check that the disk has room and works, and that the folder belongs to the agent.',
    { cause },
  )
}

function innermost(error: unknown): Error {
  const { cause } = error as Error
  return cause instanceof Error ? innermost(cause) : (error as Error)
}
