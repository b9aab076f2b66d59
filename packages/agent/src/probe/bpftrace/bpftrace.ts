import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { ProbeError } from '../../errors.ts'
import type { Probe } from '../probe.ts'
import { CgroupPaths } from './cgroup-paths.ts'
import { bpftraceError, bpftraceSpawnError, notPermitted } from './errors.ts'
import { OpenedFiles } from './opened-file.ts'
import { startBpftrace } from './run.ts'
import { checkBtf, ensureTracefs } from './tracefs.ts'

export interface BpftraceProbeOptions {
  /** Buffer of each processor between kernel and bpftrace; rounded up to a power of two. */
  readonly bufferMegabytes?: number
  /** How long bpftrace may take to compile its programs and attach them. */
  readonly startTimeoutMs?: number
  readonly probePath?: string
}

/** A burst of 15,000 signals fits, at two lines of some 250 bytes each. */
const defaultBufferMegabytes = 8
const oldestVersion = [0, 17]

/**
 * The second probe, for kernels that load no modules. Mounts tracefs if need be.
 * What it cannot tell, compared with SystemTap, is in docs/probes.md.
 */
export function bpftraceProbe(options: BpftraceProbeOptions = {}): Probe {
  return {
    kind: 'bpftrace',
    async start() {
      const version = await bpftraceVersion()
      // Asked before tracefs, which only root can look into.
      if (process.getuid?.() !== 0) throw notPermitted()
      await checkBtf()
      const mounted = await ensureTracefs()
      const probePath = options.probePath ?? join(import.meta.dirname, '../../../probes/whokilled.bt')
      await checkProbe(probePath)
      return await startBpftrace({
        probePath,
        version,
        cgroups: await CgroupPaths.open(),
        files: new OpenedFiles(),
        bufferMegabytes: options.bufferMegabytes ?? defaultBufferMegabytes,
        startTimeoutMs: options.startTimeoutMs ?? 60_000,
        warnings: mounted === undefined ? [] : [mounted],
      })
    },
  }
}

/** The installed bpftrace's version, as `0.17.0`; rejects with a ProbeError if there is none or an older one. */
export async function bpftraceVersion(): Promise<string> {
  const { stdout, stderr, exitCode, code, shortMessage } = await execa('bpftrace', ['--version'], { reject: false })
  if (exitCode === undefined) throw bpftraceSpawnError(Object.assign(new Error(shortMessage), { code }))
  const version = /^bpftrace v(\d+)\.(\d+)(\S*)/m.exec(stdout)
  if (version === null) throw bpftraceError('tell its version', exitCode, stderr)
  const [, major, minor, rest] = version
  const isOld = Number(major) === oldestVersion[0] && Number(minor) < (oldestVersion[1] ?? 0)
  if (!isOld) return `${major}.${minor}${rest}`
  throw new ProbeError(
    'tracer-too-old',
    `Expected bpftrace ${oldestVersion.join('.')} or later, found ${major}.${minor}${rest}.`,
    'Install a newer bpftrace (Debian 12 and Ubuntu 24.04 have one), or use --probe stap.',
  )
}

async function checkProbe(path: string): Promise<void> {
  await access(path).catch((cause: Error) => {
    throw new ProbeError(
      'probe-file-missing',
      `Expected the probe at ${path}, cannot read it: ${cause.message}`,
      'The installation is not complete: install the package again.',
      { cause },
    )
  })
}
