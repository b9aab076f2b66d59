import { readdirSync, readFileSync } from 'node:fs'

const tickMs = 10

/** Milliseconds of processor time that a process has taken, with those of its children that are alive (Postgres'). */
export function processorMs(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + ownMs(one), 0)
}

/** Resident memory of a process, megabytes. */
export function residentMegabytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return Math.round((pages * 4_096) / 1e6)
}

function ownMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    // utime and stime, and those of children that have ended (proc(5)).
    return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) * tickMs
  } catch {
    return 0
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  })
}
