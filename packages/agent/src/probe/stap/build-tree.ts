import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ProbeError } from '../../errors.ts'
import type { KernelHeaders } from './kernel-headers.ts'

/**
 * A folder that looks like the kernel's build folder to SystemTap, and answers fast.
 *
 * 1. To find a tracepoint SystemTap compiles a query module for every header in include/trace/events: some 150 of
 *    them, 40 seconds. Here are only those with the probe's tracepoints: 2 seconds.
 * 2. To accept a function SystemTap wants it in System.map. Debian ships a stub of 83 bytes in its place, and a kernel
 *    that is not running has no /proc/kallsyms. Only the name is looked at: the probe is registered by name when the
 *    module is loaded. So the map here lists the functions the probe names, without addresses; one that the kernel
 *    turns out not to have is a warning of staprun.
 *
 * Everything else is a link to the installed headers. Nothing is written into them.
 */
export async function makeBuildTree(headers: KernelHeaders, probe: string, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}.`)
  try {
    await linkAll(headers.build, fresh, ['include', 'System.map'])
    await linkAll(join(headers.build, 'include'), join(fresh, 'include'), ['trace'])
    await linkAll(join(headers.build, 'include/trace'), join(fresh, 'include/trace'), ['events'])
    await mkdir(join(fresh, 'include/trace/events'), { recursive: true })
    for (const header of traceHeadersOf(probe)) {
      await copyFile(await findTraceHeader(headers, header), join(fresh, 'include/trace/events', header))
    }
    await writeFile(join(fresh, 'System.map'), systemMapFor(probe, headers.config))
    await replaceFolder(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** The headers that hold the tracepoints of a probe script: `signal.h` for `kernel.trace("signal:signal_generate")`. */
export function traceHeadersOf(probe: string): string[] {
  const systems = Array.from(probe.matchAll(/kernel\.trace\("(\w+):\w+"\)/g), ([, system]) => system)
  return [...new Set(systems)].sort().map((system) => `${system}.h`)
}

/** A System.map with the functions of a probe script, without those of 32-bit programs where the kernel runs none. */
export function systemMapFor(probe: string, config: ReadonlyMap<string, string>): string {
  const names = Array.from(probe.matchAll(/kprobe\.function\("(\w+)"\)/g), ([, name]) => name ?? '')
  const wanted = names.filter((name) => {
    if (name.startsWith('__ia32_')) return config.get('CONFIG_IA32_EMULATION') === 'y'
    if (name.startsWith('__arm64_compat_')) return config.get('CONFIG_COMPAT') === 'y'
    return true
  })
  return ['_stext', ...new Set(wanted)].map((name) => `0000000000000000 T ${name}\n`).join('')
}

async function linkAll(from: string, to: string, except: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true })
  const entries = await readdir(from).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const entry of entries) {
    if (!except.includes(entry)) await symlink(join(from, entry), join(to, entry))
  }
}

async function findTraceHeader(headers: KernelHeaders, header: string): Promise<string> {
  for (const source of headers.sources) {
    const path = join(source, 'include/trace/events', header)
    if ((await stat(path).catch(() => undefined))?.isFile()) return path
  }
  throw new ProbeError(
    'headers-incomplete',
    `Expected include/trace/events/${header} among the headers of kernel ${headers.release}, found none.`,
    `Install the complete headers (Debian: apt-get install --reinstall linux-headers-${headers.release}).`,
  )
}

/** Two builds may get here at the same time: the second finds the folder of the first, which is the same. */
async function replaceFolder(fresh: string, folder: string): Promise<void> {
  await rename(fresh, folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}
