import type { Draft, Fields } from './printed-line.ts'
import type { Words } from './words.ts'

/** How many words tell of the current process, with cpu, n and time before them. */
export const processWords = 19

/** What the kernel could not tell reads as 0 here, and no process outside of the idle task has these as 0. */
export function readProcess(type: Draft['type'], words: Words) {
  const [cpu, n, time] = [words.int(), words.int(), words.big()]
  const [pid, tid, ppid, start] = [words.int(), words.int(), words.int(), words.big()]
  const [uid, euid] = words.pair()
  const [luid, ses] = words.pair()
  const flags = words.hex()
  const [sid, pgrp, nspid, nsid] = [words.int(), words.int(), words.int() || undefined, words.int() || undefined]
  const cgroup = words.big()
  const tty = terminalOf(words.name(1), words.int())
  const comm = words.name(2)
  const fields: Fields = { pid, tid, ppid, start, uid, euid, luid, ses, sid, pgrp, tty, nspid, nsid, comm }
  const draft: Draft = { type, time, fields, cgroup }
  return { cpu, n, flags, draft }
}

/** Named as under /dev: pseudo-terminals have a folder there. The kernel's driver is called pts or tty, ttyS, … */
function terminalOf(driver: string, index: number): string {
  if (driver === '') return ''
  return driver === 'pts' ? `pts/${index}` : `${driver}${index}`
}
