import { access, readFile, realpath } from 'node:fs/promises'
import { ProbeError } from '../../errors.ts'

/** The installed headers of one kernel. */
export interface KernelHeaders {
  readonly release: string
  /** The build folder, with .config and Module.symvers. */
  readonly build: string
  /** Folders that hold include/…: the build folder, and the common one where a distribution splits them (Debian). */
  readonly sources: readonly string[]
  readonly config: ReadonlyMap<string, string>
}

/** Options the probe cannot do without. SystemTap itself compiles for a kernel that lacks them, and then fails late. */
const required = ['CONFIG_MODULES', 'CONFIG_KPROBES', 'CONFIG_TRACEPOINTS', 'CONFIG_RELAY', 'CONFIG_CGROUPS']

/** Finds the headers of a kernel release and checks that the kernel can run a probe. */
export async function findKernelHeaders(release: string): Promise<KernelHeaders> {
  const link = `/lib/modules/${release}/build`
  const build = await realpath(link).catch((cause: Error) => {
    throw headersMissing(release, link, cause)
  })
  const text = await readFile(`${build}/.config`, 'utf8').catch((cause: Error) => {
    throw headersMissing(release, `${build}/.config`, cause)
  })
  const config = parseConfig(text)
  const missing = missingOptions(config)
  if (missing.length > 0) {
    throw new ProbeError(
      'kernel-unfit',
      `Expected kernel ${release} to be built with ${missing.join(', ')}, it is not.`,
      'SystemTap cannot run on this kernel. Use --probe bpftrace.',
    )
  }
  return { release, build, sources: await sourcesOf(release, build), config }
}

/** The options of a kernel's .config that are set. */
export function parseConfig(text: string): Map<string, string> {
  return new Map(Array.from(text.matchAll(/^(CONFIG_\w+)=(.*)$/gm), ([, key = '', value = '']) => [key, value]))
}

/** Which of the options that the probe needs are not built in. */
export function missingOptions(config: ReadonlyMap<string, string>): string[] {
  return required.filter((option) => config.get(option) !== 'y')
}

async function sourcesOf(release: string, build: string): Promise<string[]> {
  const makefile = await readFile(`${build}/Makefile`, 'utf8').catch(() => '')
  const candidates = [build, `/lib/modules/${release}/source`, /^include (\/.+)\/Makefile$/m.exec(makefile)?.[1]]
  const sources = new Set<string>()
  for (const candidate of candidates) {
    if (candidate === undefined) continue
    const folder = await realpath(candidate).catch(() => undefined)
    if (folder !== undefined && (await exists(`${folder}/include`))) sources.add(folder)
  }
  return [...sources]
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function headersMissing(release: string, path: string, cause: Error): ProbeError {
  return new ProbeError(
    'headers-missing',
    `Expected the headers of kernel ${release} at ${path}, found none.`,
    `Install them (Debian: apt-get install linux-headers-${release}), or run a module built elsewhere: whokilled-agent build-module --kernel ${release}.`,
    { cause },
  )
}
