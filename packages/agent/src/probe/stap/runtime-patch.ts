import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ProbeError } from '../../errors.ts'
import type { KernelHeaders } from './kernel-headers.ts'

/**
 * SystemTap 4.8 does not compile on kernels whose task_work_cancel() takes a callback instead of a function
 * (Linux 6.11, and stable kernels it was taken back to, such as Debian 12's 6.1). The old meaning lives on there under
 * the name task_work_cancel_func(). The remedy is to use that name, in one file of SystemTap's runtime.
 *
 * The installed runtime is copied and the copy is edited; nothing of SystemTap is kept with this program.
 */
const editedFile = 'stp_task_work.c'

/** The runtime folder to give to `stap -R`, or undefined where the installed one fits the kernel. */
export async function fittingRuntime(
  installed: string,
  headers: KernelHeaders,
  copyTo: string,
): Promise<string | undefined> {
  const source = await readFile(join(installed, editedFile), 'utf8').catch((cause: Error) => {
    throw new ProbeError(
      'tracer-incomplete',
      `Expected SystemTap's runtime in ${installed}, found no ${editedFile} there.`,
      'Install SystemTap again (Debian: apt-get install --reinstall systemtap).',
      { cause },
    )
  })
  if (!needsPatch(source, await readTaskWorkHeader(headers))) return undefined
  await copyPatched(installed, patchTaskWork(source), copyTo)
  return copyTo
}

/** True if the kernel has the new function and the runtime knows only the old one. */
export function needsPatch(runtimeSource: string, taskWorkHeader: string): boolean {
  return /\btask_work_cancel_func\(/.test(taskWorkHeader) && !runtimeSource.includes('task_work_cancel_func')
}

/** The one edit: type and address of the function that cancels by function. */
export function patchTaskWork(source: string): string {
  const edited = source
    .replace('typedef typeof(&task_work_cancel) ', 'typedef typeof(&task_work_cancel_func) ')
    .replace('kallsyms_lookup_name("task_work_cancel")', 'kallsyms_lookup_name("task_work_cancel_func")')
  if (edited.split('task_work_cancel_func').length !== 3) {
    throw new ProbeError(
      'runtime-mismatch',
      `Expected ${editedFile} of SystemTap's runtime to take task_work_cancel() in two places, found others.`,
      'Install a newer SystemTap, one that knows this kernel.',
    )
  }
  return edited
}

async function readTaskWorkHeader(headers: KernelHeaders): Promise<string> {
  for (const source of headers.sources) {
    const text = await readFile(join(source, 'include/linux/task_work.h'), 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  return ''
}

async function copyPatched(installed: string, edited: string, copyTo: string): Promise<void> {
  await mkdir(dirname(copyTo), { recursive: true })
  const fresh = await mkdtemp(`${copyTo}.`)
  try {
    await cp(installed, fresh, { recursive: true, preserveTimestamps: true })
    await writeFile(join(fresh, editedFile), edited)
    await rename(fresh, copyTo).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}
