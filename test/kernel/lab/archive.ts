import { chmod, copyFile, mkdir, realpath, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'

/**
 * Puts a program and the shared libraries it is linked with into a root folder. Libraries go below /usr, where they are
 * in Debian: an archive with a folder /lib in it would replace the link /lib of a Debian root that it is unpacked over.
 */
export async function addProgram(root: string, program: string, as = program): Promise<void> {
  await addFile(root, program, as, 0o755)
  const { stdout } = await execa('ldd', [program], { reject: false })
  for (const [library] of stdout.matchAll(/\/\S+/g)) {
    await addFile(root, library, library.replace(/^\/(?=lib)/, '/usr/'), 0o755)
  }
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

/**
 * Packs a root folder into an initramfs archive. Archives may simply follow each other in one file. All files belong to
 * root unless the owners are kept.
 */
export async function packArchive(root: string, archive: string, { keepOwners = false } = {}): Promise<void> {
  await chmod(root, 0o755)
  const owners = keepOwners ? [] : ['-R', '0:0']
  await execa('find', ['.', '-print0'], { cwd: root }).pipe('cpio', ['-o', '-H', 'newc', '--quiet', '-0', ...owners], {
    cwd: root,
    stdout: { file: archive },
    buffer: false,
  })
}
