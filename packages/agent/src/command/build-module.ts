import { release } from 'node:os'
import { resolve } from 'node:path'
import type { Config } from '../config.ts'
import { buildModule as build, moduleName } from '../probe/stap/module.ts'

export interface BuildModuleCommandOptions {
  /** As `uname -r` prints it; this host's if left out. */
  readonly kernel: string | undefined
  readonly out: string | undefined
  readonly json: boolean
  readonly remark: (text: string) => void
}

/** Builds the probe's module for a kernel whose headers are installed here. */
export async function buildModule(config: Config, options: BuildModuleCommandOptions): Promise<void> {
  const kernelRelease = options.kernel ?? release()
  const built = await build({
    kernelRelease,
    cacheFolder: config.cacheFolder,
    outputPath: resolve(options.out ?? `${moduleName}-${kernelRelease}.ko`),
    onProgress: options.remark,
  })
  for (const warning of built.warnings) options.remark(warning)
  const seconds = (built.durationMs / 1_000).toFixed(1)
  const text = options.json
    ? JSON.stringify(built)
    : `${built.path} for kernel ${built.kernelRelease} (${built.cached ? 'built before' : `${seconds} s`})\nsha256 ${built.sha256}`
  process.stdout.write(`${text}\n`)
}
