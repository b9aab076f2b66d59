import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'

const removalTriesMax = 10
const removalPauseMs = 200

/**
 * Removes a probe module that a crashed agent left in the kernel. A module outlives its reader (stapio), and a reader
 * outlives the agent: it notices that nobody takes its output, and still does not end.
 * False if somebody alive is reading from the module: then it is not ours to remove.
 */
export async function removeLeftover(module: string): Promise<boolean> {
  for (const reader of await readersOf(module)) {
    // A reader whose agent has died was handed to process 1; any other belongs to someone.
    if (reader.ppid !== 1) return false
    killIfThere(reader.pid)
  }
  for (let tries = 0; tries < removalTriesMax; tries++) {
    const { exitCode } = await execa('staprun', ['-d', module], { reject: false, timeout: 10_000 })
    if (exitCode === 0 || !(await isLoaded(module))) return true
    await delay(removalPauseMs)
  }
  return false
}

async function isLoaded(module: string): Promise<boolean> {
  const modules = await readFile('/proc/modules', 'utf8').catch(() => '')
  return modules.split('\n').some((line) => line.startsWith(`${module} `))
}

async function readersOf(module: string): Promise<{ pid: number; ppid: number }[]> {
  const readers = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const args = (await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '')).split('\0')
    if (!args[0]?.endsWith('/stapio') || !args.some((arg) => arg.endsWith(`${module}.ko`))) continue
    const status = await readFile(`/proc/${name}/status`, 'latin1').catch(() => '')
    const ppid = /^PPid:\t(\d+)$/m.exec(status)?.[1]
    if (ppid !== undefined) readers.push({ pid: Number(name), ppid: Number(ppid) })
  }
  return readers
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
