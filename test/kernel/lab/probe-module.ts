import { join } from 'node:path'
import { buildModule } from '@whokilled/agent/probe/stap/module'
import { labCacheFolder } from './cache-folder.ts'

/** The SystemTap probe, built by the agent's own code for the guest's kernel; kept until the probe changes. */
export async function probeModule(release: string, progress: (line: string) => void): Promise<string> {
  const built = await buildModule({
    kernelRelease: release,
    cacheFolder: join(labCacheFolder, 'build'),
    onProgress: progress,
  })
  if (!built.cached) progress(`Built the module in ${(built.durationMs / 1000).toFixed(1)} s.`)
  for (const warning of built.warnings) progress(warning)
  return built.path
}
