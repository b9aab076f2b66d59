import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { addFile, packArchive } from './archive.ts'
import { labCacheFolder } from './cache-folder.ts'
import { requireLabPackages } from './debian-packages.ts'
import { debianRootArchive } from './debian-root.ts'
import { bpftraceArchive, loaderArchive, nodeArchive, smallRootArchive } from './guest-parts.ts'
import { kernelImage } from './kernel-image.ts'
import { probeModule } from './probe-module.ts'
import { compiledPrograms } from './programs.ts'

export interface GuestOptions {
  /**
   * `small`, unless another is asked for: busybox, up in two seconds. `debian`: a whole Debian with systemd as its first
   * process, cron, at, sudo and an ssh server, up in half a minute; made once (guest/debian-setup.sh).
   */
  readonly root?: 'small' | 'debian'
  /** Shell script that the guest runs as root; test/programs are in PATH. What it puts into /out comes back. */
  readonly script: string
  /** Files for the guest: path there → path of a file or folder here. */
  readonly files?: Readonly<Record<string, string>>
  /** Put node into the guest (100 MB more to load). */
  readonly node?: boolean
  /** Put bpftrace into the guest (200 MB more to load). */
  readonly bpftrace?: boolean
  /** Let the guest reach this machine's loopback as 10.0.2.2. */
  readonly network?: boolean
  /** Let the guest's clock count instructions, one a nanosecond: what is timed there does not depend on this machine. */
  readonly countInstructions?: boolean
  /** More for the kernel's command line. */
  readonly kernelArguments?: string
  readonly timeoutMs?: number
  readonly progress?: (line: string) => void
}

/** What a guest left behind. */
export interface GuestRun extends AsyncDisposable {
  /** Exit status of the script. */
  readonly status: number
  readonly console: string
  /** A file of /out. */
  read(name: string): Promise<Buffer>
  /** Names of all files of /out. */
  list(): Promise<string[]>
}

/** What differs between the roots: memory (half of it is for files), and the first process. */
const roots = {
  small: { megabytes: 2_048, init: '/init' },
  debian: { megabytes: 3_072, init: '/lib/systemd/systemd' },
}
const guestFolder = join(import.meta.dirname, '../guest')
const defaultTimeoutMs = 300_000

/**
 * Boots Debian's kernel in QEMU (software emulation, so it runs anywhere) with the probe's module inside, runs a script
 * there, and brings back its files. Throws if the guest does not end by itself in time; its console is then kept.
 */
export async function runInGuest(options: GuestOptions): Promise<GuestRun> {
  const progress = options.progress ?? ((line) => console.log(`[lab] ${line}`))
  await requireLabPackages(options.root)
  const kernel = await kernelImage(progress)
  const module = await probeModule(kernel.release, progress)
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-guest-'))
  try {
    const parts = [options.root === 'debian' ? await debianRootArchive(progress) : await smallRootArchive()]
    parts.push(await loaderArchive(kernel))
    if (options.node === true) parts.push(await nodeArchive())
    if (options.bpftrace === true) parts.push(await bpftraceArchive())
    parts.push(await ownArchive(folder, module, options))
    const initrd = join(folder, 'initrd')
    for (const part of parts) {
      await pipeline(createReadStream(part), createWriteStream(initrd, { flags: 'a' }))
    }
    const log = await boot(kernel.vmlinuz, initrd, folder, options, progress)
    return await collect(folder, log)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** What is different in each run: the script, its files, the programs and the module. */
async function ownArchive(folder: string, module: string, options: GuestOptions): Promise<string> {
  const root = join(folder, 'root')
  await addFile(root, join(guestFolder, 'init'), '/init', 0o755)
  for (const name of ['debian-start.sh', 'run-and-send.sh']) {
    await addFile(root, join(guestFolder, name), `/lab/${name}`)
  }
  await addFile(root, module, '/lab/whokilled.ko')
  for (const [name, path] of await compiledPrograms()) await addFile(root, path, `/lab/programs/${name}`, 0o755)
  await writeFile(join(root, 'lab/run.sh'), options.script)
  for (const [there, here] of Object.entries(options.files ?? {})) {
    await mkdir(dirname(join(root, there)), { recursive: true })
    await cp(here, join(root, there), { recursive: true, dereference: true })
    if ((await stat(here)).isFile()) await chmod(join(root, there), 0o755)
  }
  const archive = join(folder, 'own.cpio')
  await packArchive(root, archive)
  return archive
}

async function boot(
  vmlinuz: string,
  initrd: string,
  folder: string,
  options: GuestOptions,
  progress: (line: string) => void,
): Promise<string> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const { megabytes, init } = roots[options.root ?? 'small']
  const network = options.network === true
  const words = ['console=ttyS0 quiet panic=-1 net.ifnames=0', `rdinit=${init}`, network ? 'whokilled.net' : '']
  progress(`Booting the ${options.root === 'debian' ? 'Debian guest' : 'guest'}${network ? ' with a network' : ''}.`)
  const child = execa(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg', '-m', String(megabytes), '-no-reboot'],
      ...(options.countInstructions === true ? ['-icount', 'shift=0'] : ['-smp', '2']),
      ...['-display', 'none', '-monitor', 'none', '-vga', 'none', '-parallel', 'none'],
      ...['-serial', 'stdio', '-serial', `file:${join(folder, 'out.tgz')}`],
      ...(network ? ['-netdev', 'user,id=n', '-device', 'e1000,netdev=n'] : ['-net', 'none']),
      ...['-kernel', vmlinuz, '-initrd', initrd],
      ...['-append', [...words, options.kernelArguments ?? ''].join(' ')],
    ],
    { reject: false, all: true, timeout: timeoutMs, stdin: 'ignore', forceKillAfterDelay: 1_000 },
  )
  let log = ''
  for await (const line of child.iterable({ from: 'all', preserveNewlines: false })) {
    const text = line.replace(/\r/g, '')
    log += `${text}\n`
    if (text.startsWith('LAB: ')) progress(`guest: ${text.slice(5)}`)
  }
  const result = await child
  if (result.failed || !log.includes('LAB: done')) {
    const kept = await keepConsole(log)
    const why = result.timedOut
      ? `did not end within ${timeoutMs / 1000} s`
      : `ended early (${result.shortMessage ?? ''})`
    throw new Error(
      `Expected the guest to run its script to the end, it ${why}. Its console is in ${kept}:\n${log.slice(-2_000)}`,
    )
  }
  return log
}

async function collect(folder: string, log: string): Promise<GuestRun> {
  const out = join(folder, 'out')
  await mkdir(out)
  await execa('tar', ['-xzf', join(folder, 'out.tgz'), '-C', out]).catch(async (error: Error) => {
    throw new Error(`Expected an archive from the guest. Its console is in ${await keepConsole(log)}: ${error.message}`)
  })
  return {
    status: Number(await readFile(join(out, '.status'), 'utf8')),
    console: log,
    read: (name) => readFile(join(out, name)),
    list: () => readdir(out, { recursive: true }),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function keepConsole(log: string): Promise<string> {
  const path = join(labCacheFolder, 'last-failed-console.txt')
  await writeFile(path, log)
  return path
}
