import { readFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { makeBuildTree } from '@whokilled/agent/probe/stap/build-tree'
import { findKernelHeaders } from '@whokilled/agent/probe/stap/kernel-headers'
import { fittingRuntime } from '@whokilled/agent/probe/stap/runtime-patch'
import { findSystemTap, runStap } from '@whokilled/agent/probe/stap/systemtap'
import { labCacheFolder } from '../kernel/lab/cache-folder.ts'

/**
 * What the tapsets behind the scripts probe, in the words of a script: the build tree offers what it finds there.
 * Without __x64_sys_kill in the tree's System.map nd_syscall.kill would quietly trace every system call instead.
 */
const probedByTapsets = 'kernel.trace("signal:signal_generate") kprobe.function("__x64_sys_kill")'

/**
 * Compiles a plain SystemTap script to a module for the guest's kernel, with SystemTap's own defaults.
 * @returns the module; its file is named as the script is, which staprun wants
 */
export async function stapModule(script: string, kernelRelease: string, folder: string): Promise<string> {
  const { name } = parse(script)
  const headers = await findKernelHeaders(kernelRelease)
  const systemTap = await findSystemTap()
  const tree = join(folder, `${name}-tree`)
  await makeBuildTree(headers, `${await readFile(script, 'utf8')} ${probedByTapsets}`, tree)
  const runtime = await fittingRuntime(systemTap.runtime, headers, join(folder, `${name}-runtime`))
  const result = await runStap(
    ['-p4', '-m', name, '-r', tree, ...(runtime === undefined ? [] : ['-R', runtime]), script],
    { cwd: folder, cacheFolder: join(labCacheFolder, 'build/systemtap') },
  )
  if (result.exitCode !== 0) throw new Error(`Expected stap to compile ${script}, it said: ${result.all}`)
  return join(folder, `${name}.ko`)
}
