import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** A real file system of 2 MB that is nearly full. Mounting it needs root. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  /** Makes room, as if somebody had tidied up. */
  makeRoom(): Promise<void>
}

const diskBytes = 2 * 1_048_576

/** @param freeBytes about what is free at first */
export async function smallDisk(freeBytes: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-disk-'))
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', folder])
  const ballast = join(folder, 'ballast')
  await writeFile(ballast, Buffer.alloc(diskBytes - freeBytes))
  return {
    folder: join(folder, 'spool'),
    makeRoom: () => rm(ballast),
    async [Symbol.asyncDispose]() {
      // Lazily: after a failed test the store may still be open.
      await execa('umount', ['--lazy', folder])
      await rm(folder, { recursive: true })
    },
  }
}
