import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** A real file system of a few megabytes that others have nearly filled. Mounting it needs root. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  /** Makes room, as if somebody had tidied up. */
  makeRoom(): Promise<void>
  /** Fills it, until about so many bytes are free. */
  fill(freeBytes: number): Promise<void>
}

/** @param freeBytes about what is free at first */
export async function smallDisk(freeBytes: number, diskBytes = 2 * 1_048_576): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-disk-'))
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', folder])
  const ballast = join(folder, 'ballast')
  const fill = async (leftBytes: number) => {
    await rm(ballast, { force: true })
    const { bavail, bsize } = await statfs(folder)
    await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leftBytes)))
  }
  await fill(freeBytes)
  return {
    folder: join(folder, 'spool'),
    makeRoom: () => rm(ballast),
    fill,
    async [Symbol.asyncDispose]() {
      // Lazily: after a failed test the store may still be open.
      await execa('umount', ['--lazy', folder])
      await rm(folder, { recursive: true })
    },
  }
}
