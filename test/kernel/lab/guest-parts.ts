import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keepNewest } from '@whokilled/agent/probe/stap/keep-newest'
import { addBusybox, addFile, addProgram, packArchive } from './archive.ts'
import { labCacheFolder } from './cache-folder.ts'
import type { KernelImage } from './kernel-image.ts'

/** Archives kept: those of today, and of the versions before. */
const partsMax = 8

/** The small root, but for what every root gets: Debian's shell, ps, pkill and timeout, and busybox for the rest of the tools. */
export async function smallRootArchive(): Promise<string> {
  const programs = ['/usr/bin/dash', '/usr/bin/ps', '/usr/bin/pkill', '/usr/bin/timeout']
  return await cachedArchive('small', ['/usr/bin/busybox', ...programs], async (root) => {
    await addBusybox(root)
    for (const program of programs) await addProgram(root, program)
    await addProgram(root, '/usr/bin/dash', '/bin/sh')
    for (const folder of ['lib', 'lib64']) await symlink(`usr/${folder}`, join(root, folder))
    await mkdir(join(root, 'etc'))
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\ndeploy:x:1001:1001::/root:/bin/sh\n')
    await writeFile(join(root, 'etc/group'), 'root:x:0:\ndeploy:x:1001:\n')
  })
}

/** SystemTap's loader and the network driver. */
export async function loaderArchive(kernel: KernelImage): Promise<string> {
  const driver = join(kernel.modules, 'drivers/net/ethernet/intel/e1000/e1000.ko')
  const programs = ['/usr/bin/staprun', '/usr/lib/systemtap/stapio']
  return await cachedArchive('loader', [driver, ...programs], async (root) => {
    for (const program of programs) await addProgram(root, program)
    await addFile(root, driver, '/lab/e1000.ko')
  })
}

/** The node that runs this test. */
export async function nodeArchive(): Promise<string> {
  return await cachedArchive('node', [process.execPath], async (root) => {
    await addProgram(root, process.execPath, '/usr/bin/node')
  })
}

/** bpftrace with LLVM (200 MB), so that two probes can be compared on one kernel. */
export async function bpftraceArchive(): Promise<string> {
  return await cachedArchive('bpftrace', ['/usr/bin/bpftrace'], async (root) => {
    await addProgram(root, '/usr/bin/bpftrace')
  })
}

async function cachedArchive(name: string, madeOf: readonly string[], fill: (root: string) => Promise<void>) {
  const hash = createHash('sha256').update('2')
  for (const file of madeOf) {
    const { size, mtimeMs } = await stat(file)
    hash.update(`${file} ${size} ${mtimeMs}\n`)
  }
  const archive = join(labCacheFolder, 'parts', `${name}-${hash.digest('hex').slice(0, 16)}.cpio`)
  const exists = await access(archive).then(
    () => true,
    () => false,
  )
  if (exists) return archive
  await mkdir(join(labCacheFolder, 'parts'), { recursive: true })
  const root = await mkdtemp(join(tmpdir(), 'whokilled-root-'))
  try {
    await fill(root)
    const part = `${archive}.${process.pid}`
    await packArchive(root, part)
    await rename(part, archive)
    await keepNewest(join(labCacheFolder, 'parts'), partsMax)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
  return archive
}
