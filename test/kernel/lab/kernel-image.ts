import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { labCacheFolder } from './cache-folder.ts'
import { headersKernel } from './debian-packages.ts'

/** A kernel to boot, unpacked from its Debian package. */
export interface KernelImage {
  readonly release: string
  readonly vmlinuz: string
  /** `…/lib/modules/RELEASE/kernel` */
  readonly modules: string
}

/** The kernel that fits the installed headers; downloaded once (70 MB) and kept. */
export async function kernelImage(progress: (line: string) => void): Promise<KernelImage> {
  const { release, version } = await headersKernel()
  const folder = join(labCacheFolder, `kernel-${release}-${version.replace(/[^\w.+-]/g, '_')}`)
  const names = await readdir(join(folder, 'boot')).catch((): string[] => [])
  if (!names.includes(`vmlinuz-${release}`)) await download(release, version, folder, progress)
  return {
    release,
    vmlinuz: join(folder, 'boot', `vmlinuz-${release}`),
    modules: join(folder, 'lib/modules', release, 'kernel'),
  }
}

async function download(release: string, version: string, folder: string, progress: (line: string) => void) {
  await mkdir(labCacheFolder, { recursive: true })
  const fresh = await mkdtemp(join(labCacheFolder, 'download-'))
  try {
    const name = `linux-image-${release}=${version}`
    progress(`Downloading ${name} (70 MB).`)
    await execa('apt-get', ['download', '-q', name], { cwd: fresh, timeout: 600_000 }).catch((error: Error) => {
      throw new Error(`Expected apt-get to download ${name}. Try: apt-get update\n${error.message}`)
    })
    const [file] = (await readdir(fresh)).filter((entry) => entry.endsWith('.deb'))
    if (file === undefined) throw new Error(`Expected apt-get download to leave a .deb file for ${name}, it left none.`)
    progress(`Unpacking ${file}.`)
    await execa('dpkg', ['-x', file, 'root'], { cwd: fresh, timeout: 120_000 })
    await removeOlderKernels()
    await rename(join(fresh, 'root'), folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** 400 MB each, and only that of the installed headers is ever booted. */
async function removeOlderKernels(): Promise<void> {
  const names = await readdir(labCacheFolder)
  for (const name of names) {
    if (name.startsWith('kernel-')) await rm(join(labCacheFolder, name), { recursive: true, force: true })
  }
}
