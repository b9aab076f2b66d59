import { access, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { release, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ProbeError } from '../../errors.ts'
import type { Probe, ProbeRun } from '../probe.ts'
import { removeLeftover } from './leftover.ts'
import { buildModule, moduleName } from './module.ts'
import { startStaprun } from './staprun.ts'
import { releaseOf, vermagicOf } from './vermagic.ts'

export type StapProbeOptions = {
  /** Relay buffer of each processor; 1 to 4095. What a burst needs while the reader waits: about 2,000 records a megabyte. */
  readonly bufferMegabytes?: number
  /** How long the module may take to load and print its first line. */
  readonly startTimeoutMs?: number
  readonly onProgress?: (line: string) => void
} & (
  | {
      /** Compile the probe on this host, which needs SystemTap, a compiler and the kernel's headers. */
      readonly mode: 'compile'
      readonly cacheFolder: string
      readonly probePath?: string
    }
  | {
      /** Load a module that was built elsewhere (`whokilled-agent build-module`). */
      readonly mode: 'module'
      readonly path: string
    }
)

/** The probe of the product: SystemTap, compiled here or elsewhere; either way staprun loads it. */
export function stapProbe(options: StapProbeOptions): Probe {
  return {
    kind: 'systemtap',
    async start() {
      await checkKernelLoadsModules()
      const path = options.mode === 'module' ? options.path : await compiled(options)
      await checkRelease(path)
      if (!(await isTaintedAlready())) options.onProgress?.(taintNotice)
      return await withItsOwnName(path, async (named) => {
        const start = () => startStaprun(named, options)
        return await start().catch(async (error: unknown) => {
          const leftBehind = error instanceof ProbeError && error.code === 'module-loaded'
          if (!leftBehind || !(await removeLeftover(moduleName))) throw error
          return await start()
        })
      })
    },
  }
}

const taintNotice =
  'Loading the probe marks the kernel as tainted, as any out-of-tree, unsigned module does (flags O and E), until the next boot.'

/** TAINT_OOT_MODULE and TAINT_UNSIGNED_MODULE (include/linux/panic.h). */
const modulesTaint = (1 << 12) | (1 << 13)

async function isTaintedAlready(): Promise<boolean> {
  const flags = Number(await readFile('/proc/sys/kernel/tainted', 'utf8').catch(() => '0'))
  return (flags & modulesTaint) === modulesTaint
}

/** Asked first: on such a kernel headers and compiler would be installed in vain. */
async function checkKernelLoadsModules(): Promise<void> {
  await access('/proc/modules').catch((cause: Error) => {
    throw new ProbeError(
      'kernel-without-modules',
      'Expected a kernel that loads modules, this one was built without (no /proc/modules).',
      'Use --probe bpftrace.',
      { cause },
    )
  })
}

async function compiled(options: StapProbeOptions & { mode: 'compile' }): Promise<string> {
  const built = await buildModule({
    kernelRelease: release(),
    cacheFolder: options.cacheFolder,
    ...(options.probePath !== undefined && { probePath: options.probePath }),
    ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
  })
  return built.path
}

/** The kernel would refuse a module of another release too, and say so only in its own log. */
async function checkRelease(path: string): Promise<void> {
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new ProbeError(
      'module-not-found',
      `Expected a probe module at ${path}, cannot read it: ${cause.message}`,
      `Build it: whokilled-agent build-module --kernel ${release()} --out ${path}`,
      { cause },
    )
  })
  const vermagic = vermagicOf(bytes)
  if (vermagic !== undefined && releaseOf(vermagic) === release()) return
  throw new ProbeError(
    'module-other-kernel',
    vermagic === undefined
      ? `Expected a kernel module at ${path}, it is none, or was cut short.`
      : `Expected a module for kernel ${release()}, ${path} was built for ${releaseOf(vermagic)}.`,
    `Build it for this kernel: whokilled-agent build-module --kernel ${release()} --out ${path}`,
  )
}

/** staprun takes the module's name from the file's: a file of another name is loaded from a copy. */
async function withItsOwnName(path: string, use: (path: string) => Promise<ProbeRun>): Promise<ProbeRun> {
  if (basename(path) === `${moduleName}.ko`) return await use(path)
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-'))
  try {
    const copy = join(folder, `${moduleName}.ko`)
    await copyFile(path, copy)
    return await use(copy)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
