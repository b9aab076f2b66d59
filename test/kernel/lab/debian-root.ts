import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { keepNewest } from '@whokilled/agent/probe/stap/keep-newest'
import { execa } from 'execa'
import { packArchive } from './archive.ts'
import { labCacheFolder } from './cache-folder.ts'

/** What the Debian guest has beside Debian's smallest set: an init, logins, and programs that kill for others. */
const packages = [
  ...['systemd-sysv', 'libpam-systemd', 'dbus', 'udev', 'kmod', 'util-linux', 'iproute2', 'busybox'],
  ...['openssh-server', 'openssh-client', 'sudo', 'cron', 'at', 'procps', 'psmisc', 'auditd'],
  ...['systemd-oomd', 'earlyoom', 'monit'],
]

/** To be raised when the code below makes another image of the same packages and setup. */
const formatVersion = 1

/** Images kept: today's, and the one before. */
const imagesMax = 2

/** The first words of what debootstrap prints, in the order in which it works. */
const debootstrapSteps = ['Retrieving', 'Extracting', 'Unpacking', 'Configuring']
const installTimeoutMs = 1_200_000

/**
 * A whole Debian of this machine's release as an initramfs archive (160 MB), installed once with debootstrap and set up
 * by guest/debian-setup.sh; then kept until the packages or the setup change. Only root can make it.
 */
export async function debianRootArchive(progress: (line: string) => void): Promise<string> {
  const setup = await readFile(join(import.meta.dirname, '../guest/debian-setup.sh'), 'utf8')
  const { suite, mirror } = await packageSource()
  const key = createHash('sha256')
    .update(JSON.stringify([formatVersion, suite, packages, setup]))
    .digest('hex')
    .slice(0, 16)
  const folder = join(labCacheFolder, 'debian')
  const archive = join(folder, `${suite}-${key}.cpio`)
  const exists = await access(archive).then(
    () => true,
    () => false,
  )
  if (exists) return archive
  if (process.getuid?.() !== 0) {
    throw new Error(
      'Expected to be root, since debootstrap installs a Debian as root only. Run: sudo npm run test:kernel',
    )
  }
  await mkdir(folder, { recursive: true })
  const root = await mkdtemp(join(folder, 'root-'))
  try {
    progress(
      `Installing Debian ${suite} for the guest, once: ${packages.join(' ')} (70 MB to download, a minute or two).`,
    )
    await install(root, suite, mirror, progress)
    await execa('unshare', ['--mount', 'chroot', root, '/bin/sh', '-s'], { input: setup, all: true }).catch(
      (error: { all?: string; message: string }) => {
        throw new Error(`Expected guest/debian-setup.sh to set up the Debian root: ${error.all ?? error.message}`)
      },
    )
    progress('Packing the Debian root.')
    const part = `${archive}.${process.pid}`
    await packArchive(root, part, { keepOwners: true })
    await rename(part, archive)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
  await keepNewest(folder, imagesMax)
  return archive
}

/** In a mount namespace of its own, so that no mount of debootstrap's is left when it fails. */
async function install(root: string, suite: string, mirror: string, progress: (line: string) => void): Promise<void> {
  const child = execa(
    'unshare',
    [
      ...['--mount', 'debootstrap', '--variant=minbase', '--merged-usr', `--include=${packages.join(',')}`],
      ...[suite, root, mirror],
    ],
    { all: true, timeout: installTimeoutMs, stdin: 'ignore' },
  )
  let step = -1
  const words: string[] = []
  try {
    for await (const line of child.iterable({ from: 'all' })) {
      words.push(line)
      const next = debootstrapSteps.findIndex((word) => line.startsWith(`I: ${word} `))
      if (next > step) progress(`debootstrap: ${debootstrapSteps[next]}`)
      step = Math.max(step, next)
    }
    await child
  } catch {
    throw new Error(
      [
        `Expected debootstrap to install Debian ${suite} from ${mirror}; is that server reached from here?`,
        `Its last words: ${words.slice(-5).join(' | ')}`,
        `By hand: debootstrap --variant=minbase ${suite} /tmp/root ${mirror}`,
      ].join('\n'),
    )
  }
}

/** This machine's release, so that its programs' libraries fit the guest's, and the server it takes packages from. */
async function packageSource(): Promise<{ suite: string; mirror: string }> {
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1]
  if (suite === undefined) throw new Error('Expected /etc/os-release to name a Debian release in VERSION_CODENAME.')
  const { stdout } = await execa('apt-get', [
    'indextargets',
    '--format',
    '$(CODENAME) $(COMPONENT) $(SITE)',
    'Created-By: Packages',
  ])
  const mirror = stdout
    .split('\n')
    .map((line) => line.split(' '))
    .find(([codename, component]) => codename === suite && component === 'main')?.[2]
  if (mirror === undefined) {
    throw new Error(`Expected apt to know a server with Debian ${suite} main. Try: apt-get update`)
  }
  return { suite, mirror }
}
