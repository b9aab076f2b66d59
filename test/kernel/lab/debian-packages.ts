import { access } from 'node:fs/promises'
import { execa } from 'execa'

/** What the lab takes from Debian, each with a file that proves it is there. */
const labPackages: ReadonlyMap<string, string> = new Map([
  ['systemtap', '/usr/bin/stap'],
  ['systemtap-runtime', '/usr/bin/staprun'],
  ['linux-headers-amd64', '/usr/share/doc/linux-headers-amd64'],
  ['qemu-system-x86', '/usr/bin/qemu-system-x86_64'],
  ['busybox-static', '/usr/bin/busybox'],
  ['cpio', '/usr/bin/cpio'],
  ['bpftrace', '/usr/bin/bpftrace'],
  ['dash', '/usr/bin/dash'],
  ['findutils', '/usr/bin/find'],
  ['procps', '/usr/bin/ps'],
  ['gcc', '/usr/bin/gcc'],
  ['libc6-dev', '/usr/lib/x86_64-linux-gnu/libc.a'],
])

/** Makes the Debian root; the small one does without. */
const debianRootPackages: ReadonlyMap<string, string> = new Map([['debootstrap', '/usr/sbin/debootstrap']])

/** Throws with the line to type if something that the lab needs for this kind of root is not installed. */
export async function requireLabPackages(root: 'small' | 'debian' = 'small'): Promise<void> {
  const missing: string[] = []
  for (const [name, file] of [...labPackages, ...(root === 'debian' ? debianRootPackages : [])]) {
    await access(file).catch(() => missing.push(name))
  }
  if (missing.length > 0) {
    throw new Error(
      `Expected ${missing.join(', ')} to be installed for the kernel lab. Install: apt-get install -y ${missing.join(' ')}`,
    )
  }
}

/** The kernel whose headers are installed: its release, and the version of the Debian package. */
export async function headersKernel(): Promise<{ release: string; version: string }> {
  const { stdout } = await execa('dpkg-query', ['-s', 'linux-headers-amd64'])
  const [, release, version] = /linux-headers-(\S+) \(= ([^)]+)\)/.exec(stdout) ?? []
  if (release === undefined || version === undefined) {
    throw new Error(`Expected linux-headers-amd64 to depend on the headers of one kernel, dpkg says: ${stdout}`)
  }
  return { release, version }
}
