import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ProbeError } from '../../errors.ts'
import { makeBuildTree, systemMapFor, traceHeadersOf } from './build-tree.ts'
import { stapError, warningsIn } from './errors.ts'
import { keepNewest } from './keep-newest.ts'
import { findKernelHeaders, type KernelHeaders } from './kernel-headers.ts'
import { fittingRuntime } from './runtime-patch.ts'
import { findSystemTap, runStap, type SystemTap } from './systemtap.ts'
import { vermagicOf } from './vermagic.ts'

/** The module's name in the kernel, and of its file: staprun finds its channel by the file's name. */
export const moduleName = 'whokilled'

/** Builds that are kept, each of one kernel and one version of the probe. */
const cachedBuildsMax = 8

export interface BuildModuleOptions {
  /** Release as `uname -r` prints it; its headers must be installed here. */
  readonly kernelRelease: string
  /** Where intermediate files and finished modules are kept. */
  readonly cacheFolder: string
  /** Where the module is copied to; without it, it stays in the cache. */
  readonly outputPath?: string
  /** The probe script; the one of this package if not given. */
  readonly probePath?: string
  readonly onProgress?: (line: string) => void
}

export interface BuiltModule {
  readonly path: string
  readonly kernelRelease: string
  /** What the kernel compares before it loads a module. */
  readonly vermagic: string
  readonly sha256: string
  readonly warnings: readonly string[]
  readonly durationMs: number
  /** True if the module was built earlier and nothing has changed since. */
  readonly cached: boolean
}

/**
 * Compiles the SystemTap probe to a module for one kernel, which staprun loads on any host with that kernel,
 * without compiler or headers. Throws a ProbeError that says what is missing.
 */
export async function buildModule(options: BuildModuleOptions): Promise<BuiltModule> {
  const startedMs = performance.now()
  const progress = options.onProgress ?? (() => {})
  const probePath = options.probePath ?? join(import.meta.dirname, '../../../probes/whokilled.stp')
  const probe = await readFile(probePath, 'utf8')
  const headers = await findKernelHeaders(options.kernelRelease)
  const systemTap = await findSystemTap()
  const base = await baseKey(probe, headers, systemTap)
  const key = createHash('sha256').update(base).update(probe).digest('hex').slice(0, 32)
  const inCache = join(options.cacheFolder, 'modules', key, `${moduleName}.ko`)

  let warnings: string[] = []
  let bytes: Buffer | undefined = await readFile(inCache).catch(() => undefined)
  const cached = bytes !== undefined
  if (bytes === undefined) {
    progress(`Building the probe for kernel ${headers.release} with SystemTap ${systemTap.version}.`)
    const built = await compile({
      probePath,
      probe,
      headers,
      systemTap,
      base,
      cacheFolder: options.cacheFolder,
      progress,
    })
    ;({ bytes, warnings } = built)
    await writeWhole(inCache, bytes)
    for (const kind of ['modules', 'build-trees', 'runtimes']) {
      await keepNewest(join(options.cacheFolder, kind), cachedBuildsMax)
    }
  }
  if (options.outputPath !== undefined) await writeWhole(options.outputPath, bytes)
  return {
    path: options.outputPath ?? inCache,
    kernelRelease: headers.release,
    vermagic: vermagicOf(bytes) ?? '',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    warnings,
    durationMs: Math.round(performance.now() - startedMs),
    cached,
  }
}

interface Compilation {
  readonly probePath: string
  readonly probe: string
  readonly headers: KernelHeaders
  readonly systemTap: SystemTap
  readonly base: string
  readonly cacheFolder: string
  readonly progress: (line: string) => void
}

async function compile(job: Compilation): Promise<{ bytes: Buffer; warnings: string[] }> {
  const tree = join(job.cacheFolder, 'build-trees', job.base)
  await makeBuildTree(job.headers, job.probe, tree)
  const runtimeCopy = join(job.cacheFolder, 'runtimes', job.base)
  const runtime = await fittingRuntime(job.systemTap.runtime, job.headers, runtimeCopy)
  if (runtime !== undefined) job.progress("Using a copy of SystemTap's runtime, corrected for this kernel.")
  const work = await mkdtemp(join(tmpdir(), 'whokilled-module-'))
  try {
    const result = await runStap([...stapArguments(job, tree, runtime)], {
      cwd: work,
      cacheFolder: join(job.cacheFolder, 'systemtap'),
      onLine: (line) => {
        if (line.startsWith('Pass ')) job.progress(line.replace(/ using .* in /, ' in '))
      },
    })
    if (result.exitCode !== 0) throw stapError('compile the probe', result.exitCode, result.all)
    return { bytes: await readFile(join(work, `${moduleName}.ko`)), warnings: warningsIn(result.all) }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * -g: the probe contains C. -B CONFIG_MODVERSIONS: guru mode would otherwise drop the symbol versions, and the kernel
 * would be tainted as «forced». INTERRUPTIBLE=0: no interrupt, hence no signal from one, between the parts of a record.
 * The limits at which SystemTap ends a script are lifted: skipped hits and errors are counted and reported each second.
 */
function* stapArguments(job: Compilation, tree: string, runtime: string | undefined): Generator<string> {
  const [major = '', minor = ''] = job.systemTap.version.split('.')
  yield* ['-v', '-g', '-p4', '-m', moduleName, '-r', tree]
  yield* ['-B', 'CONFIG_MODVERSIONS=y']
  yield* ['-DINTERRUPTIBLE=0', '-DSTP_NO_OVERLOAD', '-DMAXSKIPPED=1000000000', '-DMAXERRORS=1000000000']
  yield* [`-DWK_TRACER_MAJOR=${major}`, `-DWK_TRACER_MINOR=${minor}`]
  if (runtime !== undefined) yield* ['-R', runtime]
  yield job.probePath
}

/**
 * What SystemTap's own cache depends on. The folders named so stay the same while the probe is worked on, and with them
 * what SystemTap has compiled before: seconds instead of a quarter of a minute.
 */
async function baseKey(probe: string, headers: KernelHeaders, systemTap: SystemTap): Promise<string> {
  // The .config and the symbols' versions tell apart two builds of a kernel under one release.
  const symbols = await readFile(join(headers.build, 'Module.symvers')).catch(() => {
    throw new ProbeError(
      'headers-incomplete',
      `Expected Module.symvers in ${headers.build}, found none.`,
      `Install the complete headers (Debian: apt-get install --reinstall linux-headers-${headers.release}).`,
    )
  })
  const hash = createHash('sha256').update(headers.release).update(systemTap.version).update(symbols)
  hash.update(traceHeadersOf(probe).join()).update(systemMapFor(probe, headers.config))
  for (const [option, value] of headers.config) hash.update(`${option}=${value}\n`)
  return hash.digest('hex').slice(0, 32)
}

/** Under a name of its own first: a reader never sees half a module. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.${process.pid}.part`
  await writeFile(part, bytes)
  await rename(part, path)
}
