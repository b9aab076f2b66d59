import { chmod, copyFile, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'

/** Puts a program and the shared libraries it is linked with into a root folder. */
export async function addProgram(root: string, program: string, as = program): Promise<void> {
  await addFile(root, program, as, 0o755)
  const { stdout } = await execa('ldd', [program], { reject: false })
  for (const [library] of stdout.matchAll(/\/\S+/g)) await addFile(root, library, library, 0o755)
}

/** Copies one file into a root folder, links followed. */
export async function addFile(root: string, file: string, as: string, mode = 0o644): Promise<void> {
  const target = join(root, as)
  await mkdir(dirname(target), { recursive: true })
  await copyFile(await realpath(file), target)
  await chmod(target, mode)
}

/** busybox, and a link for each of its tools but those that are programs of their own here. */
export async function addBusybox(root: string): Promise<void> {
  await addFile(root, '/usr/bin/busybox', '/bin/busybox', 0o755)
  const { stdout } = await execa('/usr/bin/busybox', ['--list'])
  for (const tool of stdout.split('\n')) {
    if (!['busybox', 'sh', 'ps'].includes(tool)) await symlink('busybox', join(root, 'bin', tool))
  }
}

/** Packs a root folder into an initramfs archive. Archives may simply follow each other in one file. */
export async function packArchive(root: string, archive: string): Promise<void> {
  const names = await readdir(root, { recursive: true })
  const { stdout } = await execa('cpio', ['-o', '-H', 'newc', '--quiet', '-R', '0:0', '-0'], {
    cwd: root,
    input: ['.', ...names].join('\0'),
    encoding: 'buffer',
    maxBuffer: 1024 ** 3,
  })
  await writeFile(archive, stdout)
}
