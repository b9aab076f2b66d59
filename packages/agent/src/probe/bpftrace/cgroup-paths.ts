import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

const pathsMax = 65_536
const rescanMs = 10_000

/**
 * The groups of the unified hierarchy by their id, which is the inode number of their folder. New ones are told by
 * the probe; a folder that appeared otherwise is looked for again at most every 10 seconds.
 */
export class CgroupPaths {
  /** Ids that were asked for and not known. */
  unknown = 0
  private readonly paths = new Map<bigint, string>()
  private readonly mount: string
  private scannedMs = 0

  /** Opens the hierarchy mounted here; without one no path is known. */
  static async open(): Promise<CgroupPaths> {
    const paths = new CgroupPaths(mountOf(await readFile('/proc/self/mounts', 'latin1').catch(() => '')))
    await paths.scan()
    return paths
  }

  constructor(mount: string | undefined) {
    this.mount = mount ?? ''
  }

  /** The path as a byte string; undefined if this id is not known (yet). */
  pathOf(id: bigint): string | undefined {
    const path = this.paths.get(id)
    if (path === undefined) this.miss()
    return path
  }

  learn(id: bigint, path: string): void {
    this.paths.set(id, path)
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
    if (this.mount === '') return
    const folders = ['/']
    for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
      const folder = join(this.mount, path)
      // A group may go away while it is looked at.
      const id = await stat(folder, { bigint: true }).catch(() => undefined)
      if (id === undefined) continue
      this.learn(id.ino, Buffer.from(path, 'utf8').toString('latin1'))
      if (this.paths.size >= pathsMax) return
      for (const name of await foldersIn(folder)) folders.push(join(path, name))
    }
  }
}

/** Where the unified hierarchy is mounted, from the text of /proc/self/mounts; undefined if nowhere. */
export function mountOf(mounts: string): string | undefined {
  const words = mounts.split('\n').map((line) => line.split(' '))
  const mount = words.find(([, , type]) => type === 'cgroup2')?.[1]
  return mount?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}
