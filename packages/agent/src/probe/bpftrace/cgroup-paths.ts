import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

const pathsMax = 65_536
const rescanMs = 10_000

/** The hierarchies that the probe tells of, by its numbers for them: the unified one, and those of version 1. */
const hierarchies = ['unified', 'memory', 'pids', 'cpuset'] as const
type Hierarchy = (typeof hierarchies)[number]

/** Where the hierarchies are mounted, and the kernel's numbers for them. */
export interface Hierarchies {
  readonly mounts: ReadonlyMap<Hierarchy, string>
  readonly numbers: ReadonlyMap<number, Hierarchy>
}

/**
 * Control groups by what the probe tells of them: id * 4 + hierarchy, the id being the inode number of the group's
 * folder. New ones are told by the probe; a folder that appeared otherwise is looked for again at most every 10
 * seconds.
 */
export class CgroupPaths {
  /** Groups that were asked for and not known. */
  unknown = 0
  private readonly paths = new Map<bigint, string>()
  private readonly hierarchies: Hierarchies
  private scannedMs = 0

  /** Opens the hierarchies that are mounted here; in one that is not, no path is known. */
  static async open(): Promise<CgroupPaths> {
    const read = (file: string) => readFile(file, 'latin1').catch(() => '')
    const paths = new CgroupPaths({
      mounts: mountsIn(await read('/proc/self/mounts')),
      numbers: numbersIn(await read('/proc/cgroups')),
    })
    await paths.scan()
    return paths
  }

  constructor(known: Hierarchies) {
    this.hierarchies = known
  }

  /** The path as a byte string; undefined if this group is not known (yet). */
  pathOf(group: bigint): string | undefined {
    if (group >> 2n === rootId) return '/'
    const path = this.paths.get(group)
    if (path === undefined) this.miss()
    return path
  }

  /** A group was made, in the hierarchy of this number. */
  made(number: number, id: bigint, path: string): void {
    const hierarchy = this.hierarchies.numbers.get(number)
    if (hierarchy !== undefined) this.learn(hierarchy, id, path)
  }

  private learn(hierarchy: Hierarchy, id: bigint, path: string): void {
    this.paths.set((id << 2n) | BigInt(hierarchies.indexOf(hierarchy)), path)
    for (const oldest of this.paths.keys()) {
      if (this.paths.size <= pathsMax) break
      this.paths.delete(oldest)
    }
  }

  private miss(): void {
    this.unknown += 1
    if (Date.now() - this.scannedMs >= rescanMs) void this.scan()
  }

  private async scan(): Promise<void> {
    this.scannedMs = Date.now()
    for (const [hierarchy, mount] of this.hierarchies.mounts) await this.scanOne(hierarchy, mount)
  }

  private async scanOne(hierarchy: Hierarchy, mount: string): Promise<void> {
    // In a container a part of the hierarchy may be mounted: what lies above it is not known then.
    const top = await stat(mount, { bigint: true }).catch(() => undefined)
    if (top?.ino !== rootId) return
    const folders = ['/']
    for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
      const folder = join(mount, path)
      // A group may go away while it is looked at.
      const id = await stat(folder, { bigint: true }).catch(() => undefined)
      if (id === undefined) continue
      this.learn(hierarchy, id.ino, Buffer.from(path, 'utf8').toString('latin1'))
      if (this.paths.size >= pathsMax) return
      for (const name of await foldersIn(folder)) folders.push(join(path, name))
    }
  }
}

/** The id of the first group of every hierarchy (kernfs_create_root in fs/kernfs/mount.c). */
const rootId = 1n

/** Where the hierarchies are mounted, from the text of /proc/self/mounts. */
export function mountsIn(text: string): Map<Hierarchy, string> {
  const mounts = new Map<Hierarchy, string>()
  for (const [, folder = '', type, options = ''] of text.split('\n').map((line) => line.split(' '))) {
    const path = folder.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    if (type === 'cgroup2' && !mounts.has('unified')) mounts.set('unified', path)
    if (type !== 'cgroup') continue
    for (const hierarchy of hierarchies.slice(1)) {
      if (options.split(',').includes(hierarchy) && !mounts.has(hierarchy)) mounts.set(hierarchy, path)
    }
  }
  return mounts
}

/** The hierarchies of version 1 by their numbers, from the text of /proc/cgroups; 0 is the unified one. */
export function numbersIn(text: string): Map<number, Hierarchy> {
  const numbers = new Map<number, Hierarchy>([[0, 'unified']])
  for (const hierarchy of hierarchies.slice(1)) {
    const number = Number(new RegExp(`^${hierarchy}\\t(\\d+)\\t`, 'm').exec(text)?.[1] ?? 0)
    // Mounted together, the first one stands for all: the probe prefers it, too.
    if (!numbers.has(number)) numbers.set(number, hierarchy)
  }
  return numbers
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}
